import { expect, test } from "vitest";
import type { Failure, TestRequest } from "../api/schema";
import { fixOf, modelToPull } from "./fixes";

const request = { requirements: "rich", egress: ["a.example:443"] } as unknown as TestRequest;
const failure = (fix: Failure["fix"]) => ({ fix }) as Failure;

test("a missing package is added behind the others", () => {
  expect(fixOf(failure({ add_requirement: "httpx" }), request)).toEqual({
    label: "Add httpx to the requirements",
    changes: { requirements: "rich\nhttpx\n" },
  });
});

test("a limit is raised among the limits", () => {
  expect(fixOf(failure({ memory_mb: 1024 }), request)?.changes).toEqual({
    limits: { memory_mb: 1024 },
  });
});

test("a host is added to those that were allowed", () => {
  expect(fixOf(failure({ add_egress: "b.example:443" }), request)?.changes.egress).toEqual([
    "a.example:443",
    "b.example:443",
  ]);
});

test("a model that is to be pulled first is no change of the request", () => {
  expect(modelToPull(failure({ pull_model: "llama3.2" }))).toBe("llama3.2");
  expect(fixOf(failure({ pull_model: "llama3.2" }), request)).toBeNull();
  expect(modelToPull(failure({ memory_mb: 1024 }))).toBeNull();
});

test("a failure without a fix, or with one that is not known, offers none", () => {
  expect(fixOf(failure({}), request)).toBeNull();
  expect(fixOf(failure({ move_mountain: 1 }), request)).toBeNull();
});
