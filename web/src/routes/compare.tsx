import { createFileRoute } from "@tanstack/react-router";
import { ComparePage } from "../history/ComparePage";

export const Route = createFileRoute("/compare")({
  component: Compare,
  validateSearch: (search: Record<string, unknown>): { left: string; right: string } => ({
    left: String(search.left ?? ""),
    right: String(search.right ?? ""),
  }),
});

function Compare() {
  return <ComparePage {...Route.useSearch()} />;
}
