// @vitest-environment happy-dom
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Test } from "../api/schema";
import { show } from "../testing/render";
import { answering, refusal } from "../testing/server";
import { aRequest, aTest } from "../testing/values";
import { ComparePage } from "./ComparePage";

const metrics = { wall_seconds: 1.5, memory_peak_bytes: 2 ** 20, cpu_seconds: 0.5, model_calls: 2 };
const left = aTest({
  id: "a",
  request: aRequest({ query: "first\u202e" }),
  metrics: { ...metrics, input_tokens: 7, output_tokens: 3 } as Test["metrics"],
});
const right = aTest({
  id: "b",
  outcome: "failed",
  result: null,
  failure: { title: "The agent raised an exception." } as Test["failure"],
  request: aRequest({
    query: "second",
    files: { "agent.py": "def run(query):\n    return query + '!'\n", "new.py": "x = 1\n" },
  }),
});

async function shown(one: Test, two: Test) {
  answering({ "GET /api/v1/tests/a": () => one, "GET /api/v1/tests/b": () => two });
  const view = await show(<ComparePage left="a" right="b" />);
  await screen.findByRole("table");
  return view;
}
const cells = (name: string) =>
  within(screen.getByRole("row", { name: new RegExp(`^${name} [^c]`) }))
    .getAllByRole("cell")
    .map((cell) => cell.textContent);

test("query, answer and measurements stand side by side, and what nobody knows is a dash", async () => {
  await shown(left, right);
  expect(cells("Query")).toEqual(["first\\u202e", "second"]);
  expect(cells("Response")).toEqual(["Paris", "The agent raised an exception."]);
  expect(cells("Time")).toEqual(["1.5 s", "–"]);
  expect(cells("Memory peak")).toEqual(["1.0 MiB", "–"]);
  expect(cells("Tokens")).toEqual(["7 in, 3 out", "–"]);
  const query = screen.getByRole("row", { name: /^Query/ });
  expect(query.dataset.differs).toBe("true");
  expect(screen.getByRole("row", { name: /^Model [^c]/ }).dataset.differs).toBeUndefined();
});

test("files that differ are shown before and after, those that only one has included", async () => {
  await shown(left, right);
  expect(screen.getByLabelText("agent.py, left").textContent).not.toContain("!");
  expect(screen.getByLabelText("agent.py, right").textContent).toContain("!");
  expect(screen.getByLabelText("new.py, right").textContent).toContain("x = 1");
  expect(screen.queryByLabelText("requirements.txt, left")).toBeNull();
});

test("the same files are said to be the same", async () => {
  await shown(left, aTest({ id: "b", request: aRequest({ query: "other" }) }));
  expect(screen.getByText("Both ran the same files.")).toBeTruthy();
});

test("a test that is not there cannot be compared, and that is said", async () => {
  const gone = () => refusal(404, "There is no such test.");
  answering({ "GET /api/v1/tests/a": () => left, "GET /api/v1/tests/b": gone });
  await show(<ComparePage left="a" right="b" />);
  expect(await screen.findByText("There is no such test.")).toBeTruthy();
});

test.each([
  ["", ""],
  ["a", ""],
  ["", "b"],
])("an address that names fewer than two tests leads to the history: %j, %j", async (one, two) => {
  answering({ "GET /api/v1/tests/a": () => left, "GET /api/v1/tests/b": () => right });
  await show(<ComparePage left={one} right={two} />);
  expect(await screen.findByText("Select two tests to compare")).toBeTruthy();
  expect(screen.getByRole("link", { name: /history/ }).getAttribute("href")).toBe("/tests");
});
