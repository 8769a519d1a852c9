import { expect, test } from "vitest";
import { tokenIn } from "./session";

const TOKEN = "st_VBWcluTU3sK-faibaFkeC7m1J6mxH4_HafDlQXfvuWk";

test.each([
  TOKEN,
  ` ${TOKEN}\n`,
  `http://127.0.0.1:8710/#token=${TOKEN}`,
  `http://localhost:8710/tests/t1?x=1#token=${TOKEN}`,
  `#token=${TOKEN}`,
])("a token is found in what was pasted: %s", (pasted) => {
  expect(tokenIn(pasted)).toBe(TOKEN);
});

test.each([
  "",
  "  ",
  "http://127.0.0.1:8710/",
  "http://127.0.0.1:8710/#",
  "#token=",
  "schlüssel",
  "two words",
])("no token is found in %j", (pasted) => {
  expect(tokenIn(pasted)).toBeNull();
});
