import { createFileRoute } from "@tanstack/react-router";
import type { Outcome } from "../api/schema";
import { HistoryPage } from "../history/HistoryPage";

const OUTCOMES: readonly string[] = ["succeeded", "failed", "cancelled", "timed_out"];

export const Route = createFileRoute("/tests/")({
  component: History,
  validateSearch: (search: Record<string, unknown>): { q?: string; outcome?: Outcome } => ({
    q: typeof search.q === "string" && search.q !== "" ? search.q : undefined,
    outcome: OUTCOMES.includes(String(search.outcome)) ? (search.outcome as Outcome) : undefined,
  }),
});

function History() {
  return <HistoryPage filter={Route.useSearch()} />;
}
