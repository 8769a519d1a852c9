import type { Outcome, Phase, Test } from "../api/schema";
import type { Told } from "./journal";

/** How far one step of a test is. `seconds` is null for one that has not begun. */
export interface Step {
  phase: Phase;
  state: "waiting" | "active" | "done" | "bad" | "left_out";
  seconds: number | null;
}

const ORDER: readonly Phase[] = ["queued", "building", "running", "completed"];

/** The steps of the test's last attempt, at `now` (milliseconds by the server's clock). */
export function stepsOf(test: Test, told: Told, now: number): Step[] {
  const entered = lastAttempt(told);
  const reached = ORDER.indexOf(test.phase);
  return ORDER.map((phase, index) => {
    const began = entered.get(phase) ?? (phase === "queued" ? Date.parse(test.created_at) : null);
    const ended = ORDER.slice(index + 1)
      .map((later) => entered.get(later))
      .find((at) => at !== undefined);
    const seconds = began === null ? null : ((ended ?? now) - began) / 1000;
    if (phase === "completed") return { phase, state: endState(test.outcome), seconds: null };
    if (reached < index) return { phase, state: "waiting", seconds: null };
    if (reached === index) return { phase, state: "active", seconds };
    if (began === null) return { phase, state: "left_out", seconds: null };
    const stoppedHere = ended !== undefined && ended === entered.get("completed");
    return { phase, state: stoppedHere && test.failure ? "bad" : "done", seconds };
  });
}

function endState(outcome: Outcome | null | undefined): Step["state"] {
  if (!outcome) return "waiting";
  return outcome === "succeeded" ? "done" : "bad";
}

/** When each phase was entered, since the test was last queued. */
function lastAttempt(told: Told): Map<Phase, number> {
  const found = new Map<Phase, number>();
  for (const { at, data } of told.phases) {
    if (data.phase === "queued") found.clear();
    found.set(data.phase, at);
  }
  return found;
}

/** Seconds that the agent has been running, or ran; null before that. */
export function runningSeconds(steps: readonly Step[]): number | null {
  return steps.find((step) => step.phase === "running")?.seconds ?? null;
}
