// @vitest-environment happy-dom
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Failure } from "../api/schema";
import { show } from "../testing/render";
import { answering, refusal } from "../testing/server";
import { aRequest, aTest, toldBy } from "../testing/values";
import { FailureCard } from "./FailureCard";

const told = toldBy(
  { kind: "log", stream: "stdout", text: "before\n" },
  {
    kind: "log",
    stream: "stderr",
    text: "Traceback\nModuleNotFoundError: No module named 'rich'\n",
  },
);

const failure = (changes: Partial<Failure> = {}): Failure =>
  ({
    code: "agent.import_error",
    whose: "agent",
    title: "The agent imports a module that is not installed.",
    message: "The module 'rich' is not installed.",
    what_to_do: "Add 'rich' to the requirements.",
    evidence: "ModuleNotFoundError: No module named 'rich'",
    evidence_event: 2,
    fix: {},
    ...changes,
  }) as Failure;

async function card(changes: Partial<Failure> = {}, request = aRequest()) {
  const onShow = vi.fn();
  const test = aTest({ outcome: "failed", request });
  const props = { test, failure: failure(changes), lines: told.lines, onShow };
  return { onShow, ...(await show(<FailureCard {...props} />)) };
}

test("it says whose fault it is, what happened, and what to do", async () => {
  await card();
  const { textContent } = screen.getByRole("region", { name: "Failure" });
  for (const part of [
    "Your agent",
    "agent.import_error",
    "imports a module that is not installed",
    "The module 'rich' is not installed.",
    "Add 'rich' to the requirements.",
  ])
    expect(textContent).toContain(part);
});

test("the line that proves it can be jumped to", async () => {
  const { onShow } = await card();
  await userEvent.click(screen.getByRole("button", { name: "Show in the console" }));
  expect(onShow).toHaveBeenCalledWith({ line: 2 });
});

test("evidence that stands in no line has no jump, and none is no box", async () => {
  const { unmount } = await card({ evidence: "exit code 137" });
  expect(screen.getByText("exit code 137")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Show in the console" })).toBeNull();
  unmount();
  const { container } = await card({ evidence: "" });
  expect(container.querySelector("pre")).toBeNull();
});

test("what the agent made of its failure is text", async () => {
  const evil = "<img src=x onerror=alert(1)>\u202e\u001b[31m";
  const { container } = await card({ message: evil, evidence: evil, what_to_do: evil });
  expect(container.querySelector("img")).toBeNull();
  expect(screen.getAllByText("<img src=x onerror=alert(1)>\\u202e\\x1b[31m")).toHaveLength(3);
});

test.each([
  [{ add_requirement: "rich" }, "Add rich to the requirements", { requirements: "rich\n" }],
  [{ memory_mb: 1024 }, "Allow 1024 MiB of memory", { limits: { memory_mb: 1024 } }],
  [{ python: "3.12" }, "Use Python 3.12", { python: "3.12" }],
  [{ add_egress: "a.example:443" }, "Allow a.example:443", { egress: ["a.example:443"] }],
  [{ timeout_seconds: 360 }, "Allow 360 s", { timeout_seconds: 360 }],
])("the button for %o makes that change and runs again", async (fix, label, changes) => {
  const asked = answering({ "POST /api/v1/tests/t01/retry": () => aTest({ id: "t02" }) });
  const { at } = await card({ fix });
  await userEvent.click(screen.getByRole("button", { name: `${label} and run again` }));
  await waitFor(() => expect(at()).toBe("/tests/t02"));
  expect(asked.map((one) => one.body)).toEqual([changes]);
});

test("a fix that the server refuses says why, and the button stays", async () => {
  answering({ "POST /api/v1/tests/t01/retry": () => refusal(429, "Too many tests at once.") });
  await card({ fix: { memory_mb: 9 } });
  await userEvent.click(screen.getByRole("button", { name: /and run again/ }));
  expect(await screen.findByText("Too many tests at once.")).toBeTruthy();
  expect(screen.getByRole("button", { name: /and run again/ })).toBeTruthy();
});
