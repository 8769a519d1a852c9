import { expect, test } from "vitest";
import type { ProviderState } from "../api/schema";
import { canBePulled, namedOfOllama } from "./ollama";

const ollama = (more: Partial<ProviderState> = {}) =>
  ({
    name: "ollama",
    reachable: true,
    can_pull: true,
    models: ["llama3.2:latest", "a/b:1b"],
    ...more,
  }) as ProviderState;

test("the first name of Ollama's is found among those of others", () => {
  expect(namedOfOllama("testmodel, ollama:llama3.2:1b")).toBe("llama3.2:1b");
  expect(namedOfOllama("openai:gpt")).toBeNull();
  expect(namedOfOllama(null)).toBeNull();
});

test("a name that is not finished, or leads to another registry, is none", () => {
  for (const model of ["ollama:", "ollama:a:", "ollama:hf.co/x/y", "ollama:evil.example/x"]) {
    expect(namedOfOllama(model)).toBeNull();
  }
});

test("only what Ollama does not have can be pulled, whichever way it is spelled", () => {
  expect(canBePulled("smollm2:135m", [ollama()])).toBe(true);
  expect(canBePulled("llama3.2", [ollama()])).toBe(false);
  expect(canBePulled("a/b:1b", [ollama()])).toBe(false);
  expect(canBePulled("a/b", [ollama()])).toBe(true);
});

test("nothing is offered where pulling is not allowed or Ollama does not answer", () => {
  expect(canBePulled("x", [ollama({ can_pull: false })])).toBe(false);
  expect(canBePulled("x", [ollama({ reachable: false })])).toBe(false);
  expect(canBePulled("x", [])).toBe(false);
});
