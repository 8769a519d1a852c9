// @vitest-environment happy-dom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { TestSummary } from "../api/schema";
import { show } from "../testing/render";
import { type Asked, answering } from "../testing/server";
import { aTest } from "../testing/values";
import { HistoryPage } from "./HistoryPage";

const summary = (id: string, changes: Partial<TestSummary> = {}): TestSummary =>
  ({
    id,
    query: `query of ${id}`,
    name: null,
    model: null,
    phase: "completed",
    outcome: "succeeded",
    failure_code: null,
    created_at: "2026-01-01T00:00:00Z",
    started_at: "2026-01-01T00:00:01Z",
    completed_at: "2026-01-01T00:00:03.500Z",
    ...changes,
  }) as TestSummary;

const page = (tests: TestSummary[], next: string | null = null) => ({ tests, next_cursor: next });
const LIST = "GET /api/v1/tests";
const rows = async () =>
  within(await screen.findByRole("list", { name: "Tests" })).getAllByRole("listitem");
const choose = (id: string) =>
  userEvent.click(screen.getByRole("checkbox", { name: `Choose query of ${id}` }));
const button = (name: string) => screen.getByRole("button", { name }) as HTMLButtonElement;

test("a row says what was asked, how it ended, why, and how long it took, as text", async () => {
  const failed = {
    outcome: "failed",
    failure_code: "limit.memory",
    query: "<b>x</b>\u202e",
  } as const;
  answering({ [LIST]: () => page([summary("a", failed)]) });
  await show(<HistoryPage filter={{}} />);
  const [row] = await rows();
  expect(row?.textContent).toContain("<b>x</b>\\u202e");
  expect(row?.textContent).toContain("limit.memory");
  expect(row?.textContent).toContain("failed");
  expect(row?.textContent).toContain("2.5 s");
});

test("older tests come when they are wanted, behind the newest", async () => {
  const pages: Record<string, unknown> = {
    "": page([summary("a")], "next"),
    next: page([summary("b")]),
  };
  answering({
    [LIST]: ({ search }: Asked) => pages[new URLSearchParams(search).get("cursor") ?? ""],
  });
  await show(<HistoryPage filter={{}} />);
  await userEvent.click(await screen.findByRole("button", { name: "Show older tests" }));
  await waitFor(async () => expect(await rows()).toHaveLength(2));
  expect(screen.queryByRole("button", { name: "Show older tests" })).toBeNull();
});

test("two chosen tests are compared, and no other number of them", async () => {
  answering({ [LIST]: () => page([summary("a"), summary("b"), summary("c")]) });
  const { at } = await show(<HistoryPage filter={{}} />);
  await rows();
  expect(button("Compare two").disabled).toBe(true);
  for (const id of ["a", "b", "c"]) await choose(id);
  expect(button("Compare two").disabled).toBe(true);
  await choose("c");
  await userEvent.click(button("Compare two"));
  await waitFor(() => expect(at()).toBe("/compare?left=a&right=b"));
});

test("a chosen test is run again as it was", async () => {
  const asked = answering({
    [LIST]: () => page([summary("a")]),
    "POST /api/v1/tests/a/retry": () => aTest({ id: "t02" }),
  });
  const { at } = await show(<HistoryPage filter={{}} />);
  await rows();
  expect(button("Retry").disabled).toBe(true);
  await choose("a");
  await userEvent.click(button("Retry"));
  await waitFor(() => expect(at()).toBe("/tests/t02"));
  expect(asked.find(({ method }) => method === "POST")?.body).toEqual({});
});

test("only a second yes deletes, and only what was chosen", async () => {
  const asked = answering({
    [LIST]: () => page([summary("a"), summary("b")]),
    "DELETE /api/v1/tests/a": () => new Response(null, { status: 204 }),
  });
  const deleted = () => asked.filter(({ method }) => method === "DELETE").map(({ path }) => path);
  await show(<HistoryPage filter={{}} />);
  await rows();
  await choose("a");
  await userEvent.click(button("Delete 1"));
  expect((await screen.findByRole("dialog")).textContent).toContain("1 test with logs and results");
  await userEvent.click(button("Keep"));
  expect(deleted()).toEqual([]);
  await userEvent.click(button("Delete 1"));
  await userEvent.click(
    within(await screen.findByRole("dialog")).getByRole("button", { name: "Delete" }),
  );
  await waitFor(() => expect(deleted()).toEqual(["/api/v1/tests/a"]));
});

test.each([
  [{}, "No test yet: run one at the bench."],
  [{ q: "x" }, "No test is like that."],
  [{ model: "none" }, "No test is like that."],
])("an empty history with the filter %o says so", async (filter, words) => {
  answering({ [LIST]: () => page([]) });
  await show(<HistoryPage filter={filter} />);
  expect(await screen.findByText(words)).toBeTruthy();
});
