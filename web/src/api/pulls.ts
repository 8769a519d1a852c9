import { createParser } from "eventsource-parser";
import { useSyncExternalStore } from "react";
import { canonical } from "../shared/ollama";
import { ApiProblem, problemOf, requestError } from "./problem";
import type { Problem, PullProgress } from "./schema";
import { identity } from "./session";

/** A model that is being pulled, or was since the page was loaded. */
export interface Pull {
  state: "pulling" | "done" | "failed";
  progress: PullProgress | null;
  error: unknown;
}

// Not bound to any component: a pull goes on while its user looks at another page.
const pulls = new Map<string, Pull>();
const stops = new Map<string, AbortController>();
const listeners = new Set<() => void>();

/** Have the server's Ollama pull a model; whether it is there now. It never throws. */
export async function startPull(model: string): Promise<boolean> {
  const key = canonical(model);
  if (stops.has(key)) return false;
  const stop = new AbortController();
  stops.set(key, stop);
  set(key, { state: "pulling", progress: null, error: null });
  try {
    await follow(model, stop.signal, (progress) =>
      set(key, { state: "pulling", progress, error: null }),
    );
    set(key, { state: "done", progress: null, error: null });
    return true;
  } catch (error) {
    const failed: Pull = { state: "failed", progress: null, error: requestError(error) };
    set(key, stop.signal.aborted ? undefined : failed);
    return false;
  } finally {
    stops.delete(key);
  }
}

/** Leave a pull: it ends unless somebody else waits for it. What is there of it is kept. */
export function stopPull(model: string): void {
  stops.get(canonical(model))?.abort();
}

/** The pull of this model, live. */
export function usePull(model: string): Pull | undefined {
  const key = canonical(model);
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => pulls.get(key),
  );
}

function set(key: string, pull: Pull | undefined): void {
  if (pull) pulls.set(key, pull);
  else pulls.delete(key);
  for (const listener of listeners) listener();
}

async function follow(
  model: string,
  signal: AbortSignal,
  onProgress: (progress: PullProgress) => void,
): Promise<void> {
  const answer = await fetch("/api/v1/providers/ollama/models", {
    method: "POST",
    headers: { "Content-Type": "application/json", ...identity() },
    body: JSON.stringify({ model }),
    signal,
  });
  if (!answer.ok || answer.body === null) throw await problemOf(answer);
  let last: PullProgress | null = null;
  let problem: Problem | null = null;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event === "problem") problem = JSON.parse(data) as Problem;
      else last = JSON.parse(data) as PullProgress;
    },
  });
  const chunks = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await chunks.read();
    if (done) throw new Error("The server ended the pull early. Pulled again, it goes on there.");
    parser.feed(value);
    if (problem) throw new ApiProblem(problem);
    if (last) onProgress(last);
    if ((last as PullProgress | null)?.done) return;
  }
}
