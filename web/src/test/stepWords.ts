import type { Test } from "../api/schema";
import { duration, interval } from "../shared/words";
import type { Told } from "./journal";
import type { Step } from "./steps";

const WORDS: Record<Step["phase"], string> = {
  queued: "Queued",
  building: "Building",
  running: "Running",
  completed: "Completed",
};

/** What is said while the environment is prepared. */
export const BUILDING = "The requirements are resolved and installed; the console shows how.";

/** A step's name; of the last one, how the test ended. */
export function wordOf(step: Step, test: Test): string {
  if (step.phase !== "completed" || !test.outcome) return WORDS[step.phase];
  const word = test.outcome.replace("_", " ");
  return word[0]?.toUpperCase() + word.slice(1);
}

/** Where a queued test stands and how long it will probably wait. */
export function waiting(test: Test, told: Told): string {
  const place = told.queue ?? test.queue;
  if (!place) return "Waiting for its turn.";
  const wait = place.wait;
  const when = wait
    ? `; its turn comes ${turn(interval(wait.low_seconds, wait.high_seconds))}`
    : "";
  const why = place.reason ? ` (${place.reason})` : "";
  return `Place ${place.position} in the queue${when}${why}.`;
}

const turn = (words: string) => (words === "now" ? words : `in ${words}`);

/** How long a completed test took. */
export function summary(test: Test, used: number | null): string {
  const all = test.metrics?.durations.total;
  const ran = used === null ? "" : `The agent ran for ${duration(used)}`;
  if (typeof all !== "number") return ran ? `${ran}.` : "The test is over.";
  return ran ? `${ran}; all of it took ${duration(all)}.` : `All of it took ${duration(all)}.`;
}
