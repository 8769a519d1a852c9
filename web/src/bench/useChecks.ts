import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api } from "../api/client";
import { ApiProblem } from "../api/problem";
import type { FieldProblem } from "../api/schema";
import { type Draft, requestOf } from "./draft";

const NONE: readonly FieldProblem[] = [];

/** What the server finds wrong with a draft, asked a moment after the last key. */
export function useChecks(draft: Draft): readonly FieldProblem[] {
  const [settled] = useDebouncedValue(draft, 500);
  const { data } = useQuery({
    queryKey: ["checks", settled],
    queryFn: ({ signal }) => problemsOf(settled, signal),
    placeholderData: keepPreviousData,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data ?? NONE;
}

async function problemsOf(draft: Draft, signal: AbortSignal): Promise<readonly FieldProblem[]> {
  try {
    await api.POST("/api/v1/validate", { body: requestOf(draft), signal });
    return NONE;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 422) return error.fields;
    throw error;
  }
}

/** The problems of one field (`limits.memory_mb`), as one text; nothing when it is fine. */
export function problemOfField(problems: readonly FieldProblem[], field: string): string | null {
  const found = problems.filter((problem) => problem.field === field);
  return found.length > 0 ? found.map((problem) => problem.message).join(" ") : null;
}
