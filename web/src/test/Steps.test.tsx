// @vitest-environment happy-dom
import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Event, Test } from "../api/schema";
import { aTest, OVER, toldBy } from "../testing/values";
import { Steps } from "./Steps";
import { stepsOf } from "./steps";

const phase = (name: "queued" | "building" | "running", attempt = 1): Event["data"] => ({
  kind: "phase",
  phase: name,
  attempt,
  message: "",
});
const AT = (second: number) => Date.UTC(2026, 0, 1, 0, 0, second);
const going = (now: Test["phase"]) => aTest({ phase: now, outcome: null, result: null });

function shown(test: Test, ...data: Event["data"][]) {
  render(
    <MantineProvider env="test">
      <Steps test={test} told={toldBy(...data)} />
    </MantineProvider>,
  );
  return screen.getByRole("region", { name: "Progress" });
}
const states = (test: Test, ...data: Event["data"][]) =>
  stepsOf(test, toldBy(...data), AT(9)).map(({ state, seconds }) => [state, seconds]);

test("each step has its time, the one that goes on up to now", () => {
  expect(states(going("running"), phase("queued"), phase("building"), phase("running"))).toEqual([
    ["done", 1],
    ["done", 1],
    ["active", 7],
    ["waiting", null],
  ]);
});

test("a step that was left out is no step that was done", () => {
  expect(states(aTest(), phase("queued"), phase("running"), OVER)).toEqual([
    ["done", 1],
    ["left_out", null],
    ["done", 1],
    ["done", null],
  ]);
});

test("the step where a failure ended the test is the bad one", () => {
  const failed = aTest({ outcome: "failed", failure: {} as Test["failure"] });
  const told = [phase("queued"), phase("building"), OVER];
  expect(states(failed, ...told).map(([state]) => state)).toEqual([
    "done",
    "bad",
    "left_out",
    "bad",
  ]);
});

test("another attempt begins from the beginning, and is said", () => {
  const again = { ...going("queued"), attempt: 2 };
  const told = [phase("queued"), phase("building"), phase("queued", 2)];
  expect(states(again, ...told).map(([state]) => state)).toEqual([
    "active",
    "waiting",
    "waiting",
    "waiting",
  ]);
  expect(shown(again, ...told).textContent).toContain("Attempt 2");
});

test("a test that waits is told its place, how long, and why, as text", () => {
  const queue = {
    kind: "queue",
    position: 3,
    wait: { low_seconds: 12, high_seconds: 40 },
    reason: "the engine is away\u202e",
  } as Event["data"];
  expect(shown(going("queued"), phase("queued"), queue).textContent).toContain(
    "Place 3 in the queue; its turn comes in 12 s to 40 s (the engine is away\\u202e).",
  );
});

test("while it runs its time is shown against the limit", () => {
  const place = shown(going("running"), phase("queued"), phase("running"));
  expect(place.textContent).toContain("of 3 min 00 s");
  expect(screen.getByRole("progressbar", { name: "Time used of the limit" })).toBeTruthy();
});

test.each([
  ["succeeded", "Succeeded"],
  ["timed_out", "Timed out"],
  ["cancelled", "Cancelled"],
] as const)("a test that %s ends with that word and how long it took", (outcome, word) => {
  const metrics = { durations: { total: 4 } } as unknown as Test["metrics"];
  const place = shown(aTest({ outcome, metrics }), phase("queued"), phase("running"), OVER);
  expect(place.textContent).toContain(word);
  expect(place.textContent).toContain("The agent ran for 1.0 s; all of it took 4.0 s.");
});
