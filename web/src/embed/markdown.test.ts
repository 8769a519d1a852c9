// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { el } from "./dom";
import { markdown } from "./markdown";

const made = (text: string) => el("div", {}, ...markdown(text));
const html = (text: string) => made(text).innerHTML;

test("headings, emphasis, lists, code, quotes, tables and rules are laid out", () => {
  const place = made(
    "# A\n\n*b* **c** `d`\n\n- e\n\n3. f\n\n```py\ng\n```\n\n> h\n\n| i | j |\n|---|---|\n| k | l |\n\n---\n\nm  \nn",
  );
  const tags = "h3 em strong code ul>li ol>li pre>code blockquote th td hr br".split(" ");
  expect(tags.filter((tag) => place.querySelector(tag) === null)).toEqual([]);
  expect(place.querySelector("ol")?.getAttribute("start")).toBe("3");
  expect([...place.querySelectorAll("th, td")].map((cell) => cell.textContent)).toEqual([
    "i",
    "j",
    "k",
    "l",
  ]);
});

test("HTML, in a line or as a block, is text", () => {
  for (const evil of [
    "<script>alert(1)</script>",
    "a <img src=x onerror=alert(1)> b",
    '<iframe src="//evil.example">\n</iframe>',
    "<!-- hidden -->",
  ]) {
    const place = made(evil);
    expect(place.textContent).toBe(evil);
    expect(place.querySelectorAll("script, img, iframe")).toHaveLength(0);
  }
});

test("an entity is one character, never markup", () => {
  expect(made("&lt;b&gt; &amp; &copy;").textContent).toBe("<b> & ©");
  expect(made("&lt;img src=x onerror=alert(1)&gt;").querySelector("img")).toBeNull();
});

test("links lead to web addresses alone, elsewhere, and images are only named", () => {
  const place = made(
    "[a](https://example.org) [b](javascript:alert(1)) [c](data:text/html,x) [d](//evil.example) [e](&#106;avascript:alert(1)) ![f](http://evil.example/f.png)",
  );
  const links = [...place.querySelectorAll("a")];
  expect(links.map((link) => link.getAttribute("href"))).toEqual(["https://example.org"]);
  expect(links[0]?.target).toBe("_blank");
  expect(links[0]?.rel).toContain("noopener");
  expect(place.textContent).toBe("a b c d e [image: f]");
});

test("references and what the element does not know stay as they were written", () => {
  expect(made("[a][x]\n\n[x]: https://example.org").textContent).toContain("[a][x]");
  expect(made("~~gone~~").textContent).toBe("~~gone~~");
});

test("a text that nests without end is laid out so far, and nothing of it is lost", () => {
  const deep = `${"> ".repeat(500)}treasure`;
  const place = made(deep);
  expect(place.textContent).toContain("treasure");
  expect(place.querySelectorAll("blockquote").length).toBeLessThan(40);
});

test("a text too long to lay out is plain", () => {
  const long = `# ${"a".repeat(30_000)}`;
  expect(markdown(long)).toEqual([long]);
});

test("what looks like Markdown that is begun, while it streams, is laid out without trouble", () => {
  const whole = "# A **b** `c`\n\n| d |\n|---|\n| e |\n\n```\nf\n```\n[g](https://example.org)";
  for (let end = 0; end <= whole.length; end++)
    expect(() => html(whole.slice(0, end))).not.toThrow();
});
