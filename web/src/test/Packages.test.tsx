// @vitest-environment happy-dom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { PackageInfo, PackageList, Rehearsal } from "../api/schema";
import { show } from "../testing/render";
import { answering, refusal } from "../testing/server";
import { aTest } from "../testing/values";
import { Packages } from "./Packages";

const LIST = "GET /api/v1/tests/t01/packages";
const TARGETS: PackageList["targets"] = [
  { target: "compose", title: "Docker Compose", default: true, refused: "" },
  { target: "lambda", title: "AWS Lambda", default: false, refused: "It streams." },
];

const made = (rehearsal: Rehearsal): PackageInfo => ({
  target: "compose",
  file_name: "a.zip",
  size_bytes: 4096,
  sha256: "ab12",
  files: ["agent/agent.py", "evil\u202egnp.py"],
  notes: ["Set OLLAMA_HOST."],
  made_at: "2026-01-01T00:00:00Z",
  download: "/x",
  rehearsal,
});
const listed = (...packages: PackageInfo[]) => ({ refused: null, targets: TARGETS, packages });

test("a target that cannot be had says why, and has no button", async () => {
  answering({ [LIST]: () => listed() });
  await show(<Packages test={aTest()} />);
  expect(await screen.findByText("It streams.")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Make the package for AWS Lambda" })).toBeNull();
  expect(screen.getByText("fits best")).toBeTruthy();
});

test("every check is shown with its result and its reason, what acts written out", async () => {
  const checks = [
    { name: "the image builds", result: "passed", detail: "" },
    { name: "it boots", result: "failed", detail: "/ping: 500 \u001b[2Jgone" },
    { name: "it answers", result: "skipped", detail: "The test was not recorded." },
  ] as const;
  answering({ [LIST]: () => listed(made({ state: "failed", checks: [...checks] })) });
  await show(<Packages test={aTest()} />);
  const list = await screen.findByRole("list", { name: "What was tried out" });
  expect(
    within(list)
      .getAllByRole("listitem")
      .map((line) => line.textContent),
  ).toEqual([
    "passed: the image builds",
    "failed: it boots/ping: 500 \\x1b[2Jgone",
    "skipped: it answersThe test was not recorded.",
  ]);
  expect(screen.getByText("Tried out: does not work")).toBeTruthy();
  expect(screen.getByText("evil\\u202egnp.py")).toBeTruthy();
});

test("it is looked at again while a package is tried out, and no more afterwards", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const states: Rehearsal["state"][] = ["waiting", "running", "passed"];
  const asked = answering({
    [LIST]: () => listed(made({ state: states.shift() ?? "passed", checks: [] })),
  });
  await show(<Packages test={aTest()} />);
  expect(await screen.findByText("Waits to be tried out")).toBeTruthy();
  expect(
    screen.getByRole("button", { name: "Download the package for Docker Compose, 4.0 KiB" }),
  ).toBeTruthy();
  await vi.advanceTimersByTimeAsync(2100);
  expect(await screen.findByText("Is being tried out")).toBeTruthy();
  await vi.advanceTimersByTimeAsync(2100);
  expect(await screen.findByText("Tried out: works")).toBeTruthy();
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked.length).toBe(before);
  vi.useRealTimers();
});

test("making a package asks for that target, and a refusal is told", async () => {
  let answer: () => unknown = () => refusal(409, "A secret stands in what would be packed.");
  const asked = answering({
    [LIST]: () => listed(),
    "POST /api/v1/tests/t01/packages": () => answer(),
  });
  await show(<Packages test={aTest()} />);
  const button = await screen.findByRole("button", { name: "Make the package for Docker Compose" });
  await userEvent.click(button);
  expect(await screen.findByText("A secret stands in what would be packed.")).toBeTruthy();
  expect(asked.at(-1)?.body).toEqual({ target: "compose" });

  answer = () => made({ state: "waiting", checks: [] });
  await userEvent.click(button);
  await waitFor(() => expect(asked.at(-1)?.method).toBe("GET"));
  expect(screen.queryByText("A secret stands in what would be packed.")).toBeNull();
});

test("a test that has no packages says why", async () => {
  answering({
    [LIST]: () => ({ refused: "Only a succeeded test is packaged.", targets: [], packages: [] }),
  });
  await show(<Packages test={aTest()} />);
  expect(await screen.findByText("Only a succeeded test is packaged.")).toBeTruthy();
});
