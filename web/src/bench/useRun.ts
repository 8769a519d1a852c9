import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, body } from "../api/client";
import { testQuery } from "../api/queries";
import type { RetryChanges, Test } from "../api/schema";
import { freshKey } from "../shared/ids";
import { type Draft, requestOf } from "./draft";

/** Submit a draft, then go where its test is to be seen. */
export function useRun() {
  return useStarting((draft: Draft) =>
    body(api.POST("/api/v1/tests", { body: requestOf(draft), headers: once() })),
  );
}

/** Run a test again with some changes, then go to the new one. */
export function useRetry(id: string) {
  return useStarting((changes: RetryChanges) =>
    body(
      api.POST("/api/v1/tests/{test_id}/retry", {
        params: { path: { test_id: id } },
        body: changes,
        headers: once(),
      }),
    ),
  );
}

function useStarting<T>(start: (what: T) => Promise<Test>) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: start,
    onSuccess: (test) => {
      queries.setQueryData(testQuery(test.id).queryKey, test);
      void queries.invalidateQueries({ queryKey: ["history"] });
      return navigate({ to: "/tests/$testId", params: { testId: test.id } });
    },
  });
}

const once = () => ({ "Idempotency-Key": freshKey() });
