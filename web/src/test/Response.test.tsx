// @vitest-environment happy-dom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { show } from "../testing/render";
import { aTest, toldBy } from "../testing/values";
import { Response } from "./Response";

const answered = (response: string) => aTest({ result: { response } as never });
const running = aTest({ phase: "running", outcome: null, result: null });
const shown = () => screen.getByRole("region", { name: "Response" });

/** The answer as Markdown, once the code for that has come. */
async function rendered(text: string): Promise<HTMLElement> {
  await show(<Response test={answered(text)} told={toldBy()} />);
  await screen.findByText("the end of it");
  return shown();
}

test("Markdown is laid out: headings, lists, code, tables, quotes", async () => {
  const place = await rendered(
    "# Lisbon\n\n- one\n- **two**\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n```\nx = 1\n```\n\n> said\n\nthe end of it",
  );
  const tags = ["h3", "li strong", "table td", "pre code", "blockquote"];
  expect(tags.filter((tag) => place.querySelector(tag) === null)).toEqual([]);
});

test("HTML stays text, and no image, frame or script is made of an answer", async () => {
  const place = await rendered(
    '<script>alert(1)</script>\n\n<img src=x onerror=alert(2)>\n\n<iframe src="//evil.example"></iframe>\n\n![seen](http://evil.example/b.png)\n\nthe end of it',
  );
  expect(place.querySelectorAll("script, img, iframe, object, style")).toHaveLength(0);
  expect(place.textContent).toContain("<script>alert(1)</script>");
  expect(place.textContent).toContain("[image: seen]");
});

test("a link leads only to a web address, in another tab, without saying where from", async () => {
  const place = await rendered(
    "[a](javascript:alert(1)) [b](data:text/html,x) [c](JaVaScRiPt:alert(1)) [d](vbscript:x) [e](https://example.org/) <https://example.com>\n\nthe end of it",
  );
  const links = [...place.querySelectorAll("a")];
  const addresses = links.map((link) => link.getAttribute("href") ?? "");
  expect(addresses.filter(Boolean)).toEqual(["https://example.org/", "https://example.com"]);
  for (const link of links) {
    expect(link.target).toBe("_blank");
    expect(link.rel).toContain("noopener");
  }
});

test("an answer that would turn or hide text has that written out, also as plain text", async () => {
  const place = await rendered("invoice\u202egpj.exe zero\u200bwidth\n\nthe end of it");
  expect(place.textContent).toContain("invoice\\u202egpj.exe zero\\u200bwidth");
  await userEvent.click(screen.getByRole("radio", { name: "Text" }));
  expect(place.querySelector("pre")?.textContent).toContain("invoice\\u202egpj.exe");
});

test("a very long answer is shown as plain text, which the page can bear", async () => {
  await show(<Response test={answered(`# ${"a".repeat(200_001)}`)} told={toldBy()} />);
  expect(shown().querySelector("h3")).toBeNull();
  expect(shown().querySelector("pre")?.textContent?.startsWith("# aaa")).toBe(true);
});

test("the answer is shown as it comes; before that it is said that it will", async () => {
  const { unmount } = await show(<Response test={running} told={toldBy()} />);
  expect(shown().textContent).toContain("The answer appears here as it comes.");
  unmount();
  await show(<Response test={running} told={toldBy({ kind: "response", text: "half an" })} />);
  expect(shown().textContent).toContain("half an");
});

test("a test that is over without an answer says so", async () => {
  await show(<Response test={aTest({ outcome: "failed", result: null })} told={toldBy()} />);
  expect(shown().textContent).toContain("There is no answer.");
  expect(screen.queryByRole("radio")).toBeNull();
});
