import { createParser } from "eventsource-parser";
import { learnClock } from "./clock";
import type { Door } from "./door";
import { ApiProblem, problemOf } from "./problem";
import type { Event } from "./schema";

/** Where events go, and how the connection is. */
export interface Follower {
  onEvents(events: Event[]): void;
  /**
   * `live` while events come, `away` while the server cannot be reached or has no room for one more
   * stream: then `why` is what it answered.
   */
  onState(state: "live" | "away", why?: string): void;
}

const LONGEST_PAUSE = 8000;

/**
 * Read a test's journal from the event behind `after` to its last, live.
 *
 * A lost connection is made again behind the last event that came, so nothing is missed or comes
 * twice. Returns after the last event or when `signal` says so; throws the ApiProblem of an
 * answer that trying again would not change.
 */
export async function followJournal(
  door: Door,
  id: string,
  follower: Follower,
  signal: AbortSignal,
  after = 0,
) {
  let last = after;
  let pause = 500;
  while (!signal.aborted) {
    try {
      const over = await readStream(door, id, last, signal, (events) => {
        last = events.at(-1)?.number ?? last;
        pause = 500;
        follower.onState("live");
        follower.onEvents(events);
      });
      if (over) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiProblem && error.status < 500 && !isFull(error)) throw error;
      follower.onState("away", isFull(error) ? error.message : undefined);
    }
    await waitABit(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** Whether the server has no room for one more stream: there is room when another has ended. */
function isFull(error: unknown): error is ApiProblem {
  return error instanceof ApiProblem && error.problem.code.startsWith("streams.");
}

/** One connection. True after the journal's last event, false when it broke off. */
async function readStream(
  door: Door,
  id: string,
  after: number,
  signal: AbortSignal,
  onEvents: (events: Event[]) => void,
): Promise<boolean> {
  const address = `${door.base}/api/v1/tests/${encodeURIComponent(id)}/events`;
  const behind: Record<string, string> = after > 0 ? { "Last-Event-ID": String(after) } : {};
  const headers = { Accept: "text/event-stream", ...behind, ...door.headers() };
  const answer = await fetch(address, { headers, signal });
  learnClock(answer);
  if (answer.status === 204) return true;
  if (!answer.ok || answer.body === null) throw await problemOf(answer);
  const batch: Event[] = [];
  const parser = createParser({ onEvent: (sent) => batch.push(JSON.parse(sent.data) as Event) });
  const chunks = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await chunks.read();
    if (done) return false;
    parser.feed(value);
    if (batch.length === 0) continue;
    const events = batch.splice(0);
    onEvents(events);
    if (isLast(events.at(-1))) return true;
  }
}

function isLast(event: Event | undefined): boolean {
  return event?.data.kind === "phase" && event.data.phase === "completed";
}

/**
 * What `ask` answers, asked again for as long as the server cannot be reached.
 *
 * Undefined once `signal` says so; throws the ApiProblem of an answer that asking again would not
 * change.
 */
export async function persistently<T>(ask: () => Promise<T>, signal: AbortSignal) {
  for (let pause = 500; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof ApiProblem && error.status < 500) throw error;
    }
    await waitABit(pause, signal);
  }
  return undefined;
}

/** Wait, but not longer than until the network is back. */
function waitABit(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    window.addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
