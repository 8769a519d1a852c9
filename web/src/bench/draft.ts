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
    if (typeof kept?.files?.["agent.py"] === "string") return known(kept);
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

/** Put files into the draft, and requirements where some are given. */
export function addToDraft(files: Draft["files"], requirements: string | undefined): void {
  changeDraft({
    files: { ...current.files, ...files },
    requirements: requirements ?? current.requirements,
  });
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
