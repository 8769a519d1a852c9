import { createFileRoute } from "@tanstack/react-router";
import type { HistoryFilter } from "../api/queries";
import type { Outcome } from "../api/schema";
import { HistoryPage } from "../history/HistoryPage";

const OUTCOMES: readonly string[] = ["succeeded", "failed", "cancelled", "timed_out"];

export const Route = createFileRoute("/tests/")({
  component: History,
  validateSearch: (search: Record<string, unknown>): HistoryFilter => ({
    q: textOf(search.q),
    model: textOf(search.model),
    outcome: OUTCOMES.includes(String(search.outcome)) ? (search.outcome as Outcome) : undefined,
  }),
});

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function History() {
  return <HistoryPage filter={Route.useSearch()} />;
}
