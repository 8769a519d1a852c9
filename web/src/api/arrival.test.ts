// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { answering, refusal } from "../testing/server";
import { arrive, wasRefused } from "./arrival";
import { storedToken, storeToken } from "./session";

const SESSION = "GET /api/v1/session";

beforeEach(() => {
  storeToken(null);
  history.replaceState(null, "", "/tests/t1?x=1#token=st_secret");
});

function signedInAs(local: boolean) {
  return { [SESSION]: () => ({ user: "someone", local, version: "1" }) };
}

test("the local token signs in and leaves the address before the server is asked", async () => {
  answering(signedInAs(true));
  const arriving = arrive();
  expect(location.href).toMatch(/\/tests\/t1\?x=1$/);
  expect(await arriving).toBe(true);
  expect(storedToken()).toBe("st_secret");
  expect(wasRefused()).toBe(false);
});

test("a link with the token of an account changes nothing", async () => {
  storeToken("st_mine");
  answering(signedInAs(false));
  expect(await arrive()).toBe(false);
  expect(storedToken()).toBe("st_mine");
  expect(location.hash).toBe("");
});

test("a wrong token signs nobody in, which the page can say", async () => {
  answering({ [SESSION]: () => refusal(401, "The token is not valid here.") });
  expect(await arrive()).toBe(false);
  expect(storedToken()).toBeNull();
  expect(wasRefused()).toBe(true);
});

test("other fragments stay where they are", async () => {
  history.replaceState(null, "", "/#main");
  expect(await arrive()).toBe(false);
  expect(location.hash).toBe("#main");
});
