// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { answering } from "../testing/server";
import { api } from "./client";
import { inWords, requestError, Unreachable } from "./problem";

test.each([
  new TypeError("Cannot read properties of undefined (reading 'query')"),
  new RangeError("Invalid array length"),
  new ReferenceError("x is not defined"),
])("a mistake of the page is not taken for an outage: %s", (error) => {
  expect(inWords(error)).toEqual({ message: error.message, hint: "" });
});

test.each(["Failed to fetch", "NetworkError when attempting to fetch resource.", "Load failed"])(
  "a request without an answer is an outage: %s",
  async (words) => {
    answering({
      "GET /api/v1/session": () => {
        throw new TypeError(words);
      },
    });
    const error = await api.GET("/api/v1/session").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Unreachable);
    expect(inWords(error).message).toBe("The server cannot be reached.");
  },
);

test("an outage promises no second try that nothing makes", () => {
  expect(inWords(requestError(new TypeError("Load failed"))).hint).not.toMatch(/is tried again/);
});

test("a request that was called off stays one", () => {
  const off = new DOMException("off", "AbortError");
  expect(requestError(off)).toBe(off);
});
