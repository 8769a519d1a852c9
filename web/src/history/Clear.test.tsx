// @vitest-environment happy-dom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { TestSummary } from "../api/schema";
import { show } from "../testing/render";
import { type Asked, answering } from "../testing/server";
import { HistoryPage } from "./HistoryPage";
import { described } from "./matching";

const DAY = 24 * 3600 * 1000;
const summary = (id: string, daysAgo: number, phase = "completed"): TestSummary =>
  ({
    id,
    query: `query of ${id}`,
    phase,
    outcome: phase === "completed" ? "failed" : null,
    created_at: new Date(Date.now() - daysAgo * DAY).toISOString(),
  }) as TestSummary;

/** Two pages of failed tests, one of which runs; deletions are answered. */
function history() {
  const pages: Record<string, unknown> = {
    "": { tests: [summary("now", 0, "running"), summary("new", 1)], next_cursor: "next" },
    next: { tests: [summary("old", 40)], next_cursor: null },
  };
  const gone = () => new Response(null, { status: 204 });
  const asked = answering({
    "GET /api/v1/tests": ({ search }: Asked) =>
      pages[new URLSearchParams(search).get("cursor") ?? ""],
    "DELETE /api/v1/tests/new": gone,
    "DELETE /api/v1/tests/old": gone,
  });
  const deleted = () => asked.filter(({ method }) => method === "DELETE").map(({ path }) => path);
  return { asked, deleted };
}

const clear = async () => {
  await userEvent.click(await screen.findByRole("button", { name: "Clear" }));
  return within(await screen.findByRole("dialog"));
};

test("clearing deletes what the filter shows and nothing besides, and says how many", async () => {
  const { asked, deleted } = history();
  await show(<HistoryPage filter={{ outcome: "failed" }} />);
  const dialog = await clear();
  await dialog.findByText(/2 failed tests will be deleted/);
  await userEvent.click(dialog.getByRole("button", { name: "Delete 2 tests" }));
  await waitFor(() => expect(deleted()).toEqual(["/api/v1/tests/new", "/api/v1/tests/old"]));
  const lists = asked.filter(({ method }) => method === "GET").map(({ search }) => search);
  expect(lists.every((search) => search.includes("outcome=failed"))).toBe(true);
});

test("only tests of the chosen age are deleted", async () => {
  const { deleted } = history();
  await show(<HistoryPage filter={{}} />);
  const dialog = await clear();
  await userEvent.click(await dialog.findByRole("radio", { name: "Older than 30 days: 1" }));
  await userEvent.click(dialog.getByRole("button", { name: "Delete 1 test" }));
  await waitFor(() => expect(deleted()).toEqual(["/api/v1/tests/old"]));
});

test("nothing is deleted before it is confirmed, or where nothing matches", async () => {
  const { deleted } = history();
  await show(<HistoryPage filter={{}} />);
  const dialog = await clear();
  await userEvent.click(await dialog.findByRole("radio", { name: "Of any age: 2" }));
  await userEvent.click(dialog.getByRole("button", { name: "Keep" }));
  expect(deleted()).toEqual([]);
  answering({ "GET /api/v1/tests": () => ({ tests: [], next_cursor: null }) });
  const again = await clear();
  await again.findByText("No completed test matches.");
  expect(again.getByRole("button", { name: "Delete" })).toHaveProperty("disabled", true);
});

test.each([
  [{}, 1, "1 test"],
  [{ outcome: "timed_out" as const }, 2, "2 timed out tests"],
  [{ model: "none", q: "x" }, 1, "1 test of the model none that contains “x”"],
])("a filter in words: %o", (filter, count, words) => {
  expect(described(filter, count)).toBe(words);
});
