import { createFileRoute } from "@tanstack/react-router";
import { useCallback } from "react";
import { Ask } from "../bench/Ask";
import classes from "../bench/Bench.module.css";
import { useDraft } from "../bench/draft";
import { Files } from "../bench/Files";
import { useChecks } from "../bench/useChecks";
import { useRun } from "../bench/useRun";
import { useTitle } from "../shared/useTitle";

export const Route = createFileRoute("/")({ component: Bench });

function Bench() {
  useTitle("Bench");
  const draft = useDraft();
  const problems = useChecks(draft);
  const { mutate, isPending, error } = useRun();
  const run = useCallback(() => mutate(draft), [mutate, draft]);

  return (
    <div className={classes.bench}>
      <h1 className={classes.title}>Bench</h1>
      <Files draft={draft} problems={problems} onRun={run} />
      <Ask draft={draft} problems={problems} onRun={run} running={isPending} error={error} />
    </div>
  );
}
