import { useSyncExternalStore } from "react";
import type { Limits, TestRequest } from "../api/schema";
import { DEFAULT_TEMPLATE, TEMPLATES } from "./templates";

/** What is typed at the bench: a test request whose limits are those that differ. */
export type Draft = Omit<TestRequest, "limits"> & { limits: Partial<Limits> };

const KEY = "seatrial.draft";

const EMPTY: Draft = {
  files: { "agent.py": "" },
  requirements: "",
  query: "",
  model: null,
  credential: null,
  python: null,
  entry_point: null,
  timeout_seconds: 180,
  limits: {},
  egress: [],
  allow: [],
  env: {},
  secrets: {},
  name: null,
  record: false,
  webhook: null,
  replay_of: null,
};

/** The draft of somebody who has not typed anything yet. */
export function fresh(): Draft {
  return { ...EMPTY, ...DEFAULT_TEMPLATE.parts };
}

/** Whether somebody's own work is in it: it is not just one of the templates. */
export function draftIsTouched(draft: Draft): boolean {
  const files = JSON.stringify(draft.files);
  return !TEMPLATES.some((template) => JSON.stringify(template.parts.files) === files);
}

/** A test's request as a draft that can be changed and run again. */
export function draftOf(request: TestRequest): Draft {
  return { ...EMPTY, ...request, replay_of: null };
}

/** The draft as the API takes it: what is left out of the limits is the server's to fill in. */
export function requestOf(draft: Draft): TestRequest {
  return draft as TestRequest;
}

let current = load();
let pending: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function load(): Draft {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null") as Partial<Draft> | null;
    const files = kept?.files ?? {};
    const agent = agentOf({ files, entry_point: kept?.entry_point ?? null });
    if (kept && typeof files[agent] === "string") return known(kept);
  } catch {
    // What is there was not written by this version of the page.
  }
  return fresh();
}

/** The fields that this version knows; the API refuses any other. */
function known(kept: Partial<Draft>): Draft {
  const fields = Object.entries(kept).filter(([name]) => name in EMPTY);
  return { ...EMPTY, ...Object.fromEntries(fields) };
}

function save(): void {
  clearTimeout(pending);
  pending = undefined;
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Too large for this browser's store: it lives as long as the tab does.
  }
}

// A reload right after a key was pressed must not lose it.
window.addEventListener("pagehide", () => pending && save());

/** Change some of the draft. It is kept over reloads. */
export function changeDraft(changes: Partial<Draft>): void {
  current = { ...current, ...changes };
  clearTimeout(pending);
  pending = setTimeout(save, 300);
  for (const listener of listeners) listener();
}

/**
 * Put files into the draft, and requirements where some are given. `agent` is the one of them to
 * run; a template that it replaces is taken out.
 */
export function addToDraft(
  files: Draft["files"],
  requirements: string | undefined,
  agent: string | null = null,
): void {
  const elsewhere = agent !== null && agent !== "agent.py";
  const before = elsewhere && !draftIsTouched(current) ? {} : current.files;
  changeDraft({
    files: { ...before, ...files },
    requirements: requirements ?? current.requirements,
    entry_point: entryOf(current.entry_point ?? null, agent),
  });
}

/** A name to call in agent.py stays; what was named in another file does not. */
function entryOf(before: string | null, agent: string | null): string | null {
  if (agent === null) return before;
  if (agent !== "agent.py") return agent;
  return before?.startsWith("agent.py") ? before : null;
}

/** The file that is run: the one that the entry point names, else agent.py. */
export function agentOf(draft: Pick<Draft, "files" | "entry_point">): string {
  const [named = ""] = (draft.entry_point ?? "").split(":");
  return named in draft.files ? named : "agent.py";
}

/** Put another draft in the place of this one; what was there before. */
export function replaceDraft(draft: Draft): Draft {
  const before = current;
  changeDraft(draft);
  return before;
}

/** The draft, live. */
export function useDraft(): Draft {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
