import { createParser } from "eventsource-parser";
import { learnClock } from "./client";
import { ApiProblem, problemOf } from "./problem";
import type { Event } from "./schema";
import { identity } from "./session";

/** Where events go, and how the connection is. */
export interface Follower {
  onEvents(events: Event[]): void;
  /** `live` while events come, `away` while the server cannot be reached. */
  onState(state: "live" | "away"): void;
}

const LONGEST_PAUSE = 8000;

/**
 * Read a test's journal from its first event to its last, live.
 *
 * A lost connection is made again behind the last event that came, so nothing is missed or comes
 * twice. Returns after the last event or when `signal` says so; throws the ApiProblem of an
 * answer that trying again would not change.
 */
export async function followJournal(id: string, follower: Follower, signal: AbortSignal) {
  let last = 0;
  let pause = 500;
  while (!signal.aborted) {
    try {
      const over = await readStream(id, last, signal, (events) => {
        last = events.at(-1)?.number ?? last;
        pause = 500;
        follower.onState("live");
        follower.onEvents(events);
      });
      if (over) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiProblem && error.status < 500) throw error;
      follower.onState("away");
    }
    await waitABit(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** One connection. True after the journal's last event, false when it broke off. */
async function readStream(
  id: string,
  after: number,
  signal: AbortSignal,
  onEvents: (events: Event[]) => void,
): Promise<boolean> {
  const headers = { Accept: "text/event-stream", ...identity() };
  const address = `/api/v1/tests/${encodeURIComponent(id)}/events?after=${after}`;
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
