import { useCallback } from "react";
import { useTitle } from "../shared/useTitle";
import { Ask } from "./Ask";
import classes from "./Bench.module.css";
import { useDraft } from "./draft";
import { Files } from "./Files";
import { problemsAtRun, wasRefused } from "./problems";
import { useChecks } from "./useChecks";
import { useGoing } from "./useGoing";
import { useRun } from "./useRun";

/** Where a test is put together and started. */
export function Bench() {
  useTitle("Bench");
  const draft = useDraft();
  const problems = useChecks(draft);
  const attempt = useRun();
  const { mutate, isPending } = attempt;
  const run = useCallback(() => mutate(draft), [mutate, draft]);
  const refused = problemsAtRun(draft, problems, attempt);
  const going = useGoing(wasRefused(attempt) ? attempt.error : null, refused);

  return (
    <div className={classes.bench}>
      <h1 className={classes.title}>Bench</h1>
      <Files
        draft={draft}
        problems={problems}
        chosen={going.file}
        onChoose={going.open}
        target={going.target}
        onRun={run}
      />
      <Ask
        draft={draft}
        problems={problems}
        refused={refused}
        onGo={going.go}
        onRun={run}
        running={isPending}
        error={wasRefused(attempt) ? null : attempt.error}
      />
    </div>
  );
}
