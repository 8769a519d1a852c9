import { Loader, Progress, Text } from "@mantine/core";
import { Check, Circle, Minus, X } from "lucide-react";
import type { Test } from "../api/schema";
import { visible } from "../shared/ansi";
import { useNow } from "../shared/useNow";
import { duration } from "../shared/words";
import type { Told } from "./journal";
import classes from "./Steps.module.css";
import { runningSeconds, type Step, stepsOf } from "./steps";
import { BUILDING, summary, waiting, wordOf } from "./stepWords";

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
      {test.phase === "queued" && <Text size="sm">{visible(waiting(test, told))}</Text>}
      {test.phase === "building" && <Text size="sm">{BUILDING}</Text>}
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
