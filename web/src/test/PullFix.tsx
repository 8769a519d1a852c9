import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { startPull, usePull } from "../api/pulls";
import { providersQuery } from "../api/queries";
import type { Test } from "../api/schema";
import { useRetry } from "../bench/useRun";
import { PullLine } from "../shared/PullLine";
import classes from "../shared/PullLine.module.css";
import { Trouble } from "../shared/Trouble";
import { FixAction } from "./FixAction";

/** Has Ollama pull the model that a test failed for, then runs the test again. */
export default function PullFix({ test, model }: { test: Test; model: string }) {
  const queries = useQueryClient();
  const { data } = useQuery(providersQuery);
  const retry = useRetry(test.id);
  const pull = usePull(model);
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  const allowed = data?.providers.some((one) => one.name === "ollama" && one.can_pull);

  async function pullThenRun() {
    if (!(await startPull(model))) return;
    void queries.invalidateQueries(providersQuery);
    // Whoever went on to something else meanwhile is not taken away from it.
    if (here.current) retry.mutate({});
  }

  if (!allowed) return null;
  const trouble = pull?.state === "failed" ? pull.error : retry.error;
  return (
    <>
      {pull?.state === "pulling" ? (
        <PullLine model={model} pull={pull} />
      ) : (
        <div className={classes.place}>
          <FixAction
            label={`Pull ${model}`}
            busy={retry.isPending}
            onClick={() => void pullThenRun()}
          />
        </div>
      )}
      {trouble ? <Trouble error={trouble} /> : null}
    </>
  );
}
