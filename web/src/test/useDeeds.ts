import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, body } from "../api/client";
import { testQuery } from "../api/queries";
import type { Test } from "../api/schema";
import { bringToBench } from "../bench/bringToBench";
import { draftOf } from "../bench/draft";

/** Stop a test that is not over. */
export function useStop(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      body(api.POST("/api/v1/tests/{test_id}/cancel", { params: { path: { test_id: id } } })),
    onSuccess: (test) => queries.setQueryData(testQuery(id).queryKey, test),
  });
}

/** Take a test's request to the bench; what was there can be had back. */
export function useEdit() {
  const navigate = useNavigate();
  return (test: Test) => {
    bringToBench(draftOf(test.request), "The test is at the bench");
    void navigate({ to: "/" });
  };
}
