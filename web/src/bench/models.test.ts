import { expect, test } from "vitest";
import type { CredentialInfo, ProviderState } from "../api/schema";
import { credentialFor, groupsOf, meant } from "./models";

const credential = (name: string, provider = "openai") => ({ name, provider }) as CredentialInfo;
const list = (name: string, models: string[], provider = "openai") => ({
  credential: credential(name, provider),
  models,
  reason: "",
});
const state = (name: string, models: string[], reachable = true) =>
  ({ name, models, reachable }) as ProviderState;

test("the default credential is meant, else the only one", () => {
  const several = [credential("a"), credential("b"), credential("c", "ollama")];
  expect(meant(several, "openai")).toBeUndefined();
  expect(meant(several, "ollama")?.name).toBe("c");
  expect(meant([...several, credential("default")], "openai")?.name).toBe("default");
});

test("a credential's models stand in for the operator's, and no model is there twice", () => {
  const states = [state("openai", ["gpt-op"]), state("ollama", ["m"]), state("testmodel", ["x"])];
  expect(groupsOf(states, [list("work", ["gpt-a"])])).toEqual([
    { group: "OpenAI and compatible, credential work", items: ["openai:gpt-a"] },
    { group: "Ollama", items: ["ollama:m"] },
    { group: "Without a provider", items: ["testmodel", "none"] },
  ]);
  const two = groupsOf(states, [list("a", ["g", "h"]), list("b", ["h"])]);
  expect(two.map(({ group }) => group)).toEqual([
    "OpenAI and compatible, credential a",
    "OpenAI and compatible",
    "Ollama",
    "Without a provider",
  ]);
});

test("a chosen model names its credential where it is not the one that is meant anyway", () => {
  const two = [list("a", ["g"]), list("b", ["h"])];
  expect(credentialFor("openai:h", two)).toBe("b");
  expect(credentialFor("openai:h", [list("b", ["h"])])).toBeNull();
  expect(credentialFor("openai:operators", two)).toBeNull();
  expect(credentialFor("ollama:m:1b", two)).toBeUndefined();
  expect(credentialFor("none", two)).toBeUndefined();
});
