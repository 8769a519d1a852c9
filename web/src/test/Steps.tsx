import { Loader, Progress, Text } from "@mantine/core";
import { Check, Circle, Minus, X } from "lucide-react";
import type { Test } from "../api/schema";
import { useNow } from "../shared/useNow";
import { duration, interval } from "../shared/words";
import type { Told } from "./journal";
import classes from "./Steps.module.css";
import { runningSeconds, type Step, stepsOf } from "./steps";

const WORDS: Record<Step["phase"], string> = {
  queued: "Queued",
  building: "Building",
  running: "Running",
  completed: "Completed",
};

/** Where the test is, how long each step took, and how long there is left. */
export function Steps({ test, told }: { test: Test; told: Told }) {
  const now = useNow(test.phase === "completed" ? null : 200);
  const steps = stepsOf(test, told, now);
  return (
    <section className={`panel ${classes.steps}`} aria-label="Progress">
      <ol className={classes.list}>
        {steps.map((step) => (
          <li
            key={step.phase}
            className={classes.step}
            data-state={step.state}
            aria-current={step.state === "active" ? "step" : undefined}
          >
            <Sign state={step.state} />
            <span className={classes.word}>{wordOf(step, test)}</span>
            <span className={classes.time}>
              {step.seconds === null ? "" : duration(step.seconds)}
            </span>
          </li>
        ))}
      </ol>
      <Below test={test} told={told} steps={steps} />
    </section>
  );
}

function wordOf(step: Step, test: Test): string {
  if (step.phase !== "completed" || !test.outcome) return WORDS[step.phase];
  const word = test.outcome.replace("_", " ");
  return word[0]?.toUpperCase() + word.slice(1);
}

function Sign({ state }: { state: Step["state"] }) {
  const icon = {
    waiting: <Circle size={14} />,
    active: <Loader size={16} />,
    done: <Check size={15} strokeWidth={3} />,
    bad: <X size={15} strokeWidth={3} />,
    left_out: <Minus size={14} />,
  }[state];
  return (
    <span className={classes.sign} aria-hidden>
      {icon}
    </span>
  );
}

/** One line under the steps, always there so that nothing below it moves. */
function Below({ test, told, steps }: { test: Test; told: Told; steps: readonly Step[] }) {
  const limit = test.request.timeout_seconds;
  const used = runningSeconds(steps);
  return (
    <div className={classes.below} role="status">
      {test.phase === "queued" && <Text size="sm">{waiting(test, told)}</Text>}
      {test.phase === "building" && (
        <Text size="sm">The requirements are resolved and installed; the console shows how.</Text>
      )}
      {test.phase === "running" && used !== null && (
        <>
          <Text size="sm">
            {duration(used)} of {duration(limit)}
          </Text>
          <Progress
            value={Math.min(100, (100 * used) / limit)}
            color={used > 0.8 * limit ? "orange" : undefined}
            className={classes.limit}
            aria-label="Time used of the limit"
          />
        </>
      )}
      {test.phase === "completed" && <Text size="sm">{summary(test, used)}</Text>}
      {test.attempt > 1 && (
        <Text size="sm" className="quiet">
          Attempt {test.attempt}
        </Text>
      )}
    </div>
  );
}

function waiting(test: Test, told: Told): string {
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

function summary(test: Test, used: number | null): string {
  const all = test.metrics?.durations.total;
  const ran = used === null ? "" : `The agent ran for ${duration(used)}`;
  if (typeof all !== "number") return ran ? `${ran}.` : "The test is over.";
  return ran ? `${ran}; all of it took ${duration(all)}.` : `All of it took ${duration(all)}.`;
}
