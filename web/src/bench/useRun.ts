import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useRef } from "react";
import { api, body } from "../api/client";
import { testQuery } from "../api/queries";
import type { RetryChanges, Test } from "../api/schema";
import { freshKey } from "../shared/ids";
import { type Draft, requestOf } from "./draft";

type Once = Record<"Idempotency-Key", string>;

/** Submit a draft, then show its test. */
export function useRun() {
  return useStarting((draft: Draft, headers) =>
    body(api.POST("/api/v1/tests", { body: requestOf(draft), headers })),
  );
}

/** Run a test again with some changes, then show the new one. */
export function useRetry(id: string) {
  return useStarting((changes: RetryChanges, headers) =>
    body(
      api.POST("/api/v1/tests/{test_id}/retry", {
        params: { path: { test_id: id } },
        body: changes,
        headers,
      }),
    ),
  );
}

/**
 * Start a test once per request: a second click while the first one is under way does nothing, and
 * a request that is sent again after a lost answer carries the same key, so it is one test.
 */
function useStarting<T>(start: (what: T, headers: Once) => Promise<Test>) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const underWay = useRef(false);
  const keyOf = useKeys();
  const mutation = useMutation({
    mutationFn: (what: T) => start(what, { "Idempotency-Key": keyOf.current(what) }),
    onSuccess: (test) => {
      keyOf.forget();
      queries.setQueryData(testQuery(test.id).queryKey, test);
      void queries.invalidateQueries({ queryKey: ["history"] });
      return navigate({ to: "/tests/$testId", params: { testId: test.id } });
    },
    onSettled: () => {
      underWay.current = false;
    },
  });
  const { mutate } = mutation;
  const once = useCallback(
    (what: T) => {
      if (underWay.current) return;
      underWay.current = true;
      mutate(what);
    },
    [mutate],
  );
  return { ...mutation, mutate: once };
}

/** One idempotency key per request, until that request succeeded. */
function useKeys() {
  const known = useRef({ request: "", key: "" });
  const keys = useRef({
    current(what: unknown): string {
      const request = JSON.stringify(what);
      if (known.current.request !== request) known.current = { request, key: freshKey() };
      return known.current.key;
    },
    forget() {
      known.current = { request: "", key: "" };
    },
  });
  return keys.current;
}
