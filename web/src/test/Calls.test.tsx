// @vitest-environment happy-dom

import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { ModelCallEvent } from "../api/schema";
import { toldBy } from "../testing/values";
import { Calls } from "./Calls";
import type { Emptiness } from "./journal";

const running = { kind: "phase", phase: "running", attempt: 1, message: "" } as const;
const call = (changes: Partial<ModelCallEvent> = {}): ModelCallEvent =>
  ({
    kind: "model_call",
    provider: "ollama",
    model: "llama",
    operation: "chat",
    status: 200,
    latency_seconds: 1,
    input_tokens: 10,
    output_tokens: 2,
    replayed: false,
    error: null,
    message: "",
    ...changes,
  }) as ModelCallEvent;

function shown(calls: ModelCallEvent[], empty: Emptiness = "come") {
  const { calls: told, phases } = toldBy(running, ...calls);
  const { container } = render(
    <MantineProvider env="test">
      <Calls calls={told} phases={phases} empty={empty} />
    </MantineProvider>,
  );
  return container;
}
const bars = (container: HTMLElement) =>
  [...container.querySelectorAll<HTMLElement>(".bar, [class*=bar]")].map(({ style }) => [
    Math.round(Number.parseFloat(style.left)),
    Math.round(Number.parseFloat(style.width)),
  ]);

test.each([
  ["come", "None yet."],
  ["read", "They are being read."],
  ["nothing", "None."],
] as const)("no call at all, when more may %s, is said so", (empty, words) => {
  shown([], empty);
  expect(screen.getByText(words)).toBeTruthy();
});

test("each call stands where it was in the time that the agent ran", () => {
  // Running from second 0; the calls end at the seconds 1, 2 and 3.
  const container = shown([call(), call(), call({ latency_seconds: 1.5 })]);
  expect(bars(container)).toEqual([
    [0, 33],
    [33, 33],
    [50, 50],
  ]);
});

test("tokens are summed, and those that nobody reported are no zeros", () => {
  const container = shown([call(), call({ input_tokens: null, output_tokens: null })]);
  expect(container.textContent).toContain("2 calls · 10 tokens in, 2 out");
  expect(container.textContent).toContain("tokens not reported");
});

test("a call that was refused or broke off is marked, and says why as text", () => {
  const container = shown([
    call({ status: 429, message: "<b>slow down</b>\u202e" }),
    call({ status: null, error: "broken" as never }),
    call({ replayed: true }),
  ]);
  expect(container.querySelectorAll("[data-bad]")).toHaveLength(2);
  expect(screen.getByText(/<b>slow down<\/b>\\u202e/)).toBeTruthy();
  expect(container.textContent).toContain("broken off");
  expect(container.textContent).toContain("replayed");
});

test("of very many calls the newest are laid out, and all are counted", () => {
  const container = shown(Array.from({ length: 250 }, () => call()));
  expect(container.querySelectorAll("li")).toHaveLength(200);
  expect(container.textContent).toContain("250 calls");
});
