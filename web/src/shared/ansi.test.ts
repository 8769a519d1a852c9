import { expect, test } from "vitest";
import { pieces, plain, visible } from "./ansi";

const ESC = "\x1b";

test("colours become looks and end where they are reset", () => {
  const found = pieces(`a${ESC}[1;31mb${ESC}[0mc`);
  expect(found.pieces.map((piece) => [piece.text, piece.look])).toEqual([
    ["a", {}],
    ["b", { bold: true, color: 1 }],
    ["c", {}],
  ]);
  expect(found.end).toEqual({});
});

test("a colour that is not reset goes on in the next line", () => {
  const first = pieces(`${ESC}[32mgreen`);
  expect(pieces("still", first.end).pieces[0]?.look).toEqual({ color: 2 });
});

test("256 and true colours are taken to the nearest of sixteen", () => {
  expect(pieces(`${ESC}[38;5;196mx`).pieces[0]?.look.color).toBe(9);
  expect(pieces(`${ESC}[38;2;10;200;20mx`).pieces[0]?.look.color).toBe(10);
  expect(pieces(`${ESC}[48;5;196;4mx`).pieces[0]?.look).toEqual({ underline: true });
});

test.each([
  [`${ESC}]0;title\x07`, "\\x1b]0;title\\x07"],
  [`${ESC}[2J`, "\\x1b[2J"],
  ["a\rb", "a\\x0db"],
  ["user\u202egpj.exe", "user\\u202egpj.exe"],
  ["zero\u200bwidth", "zero\\u200bwidth"],
  ["\u{e0041}", "\\U000e0041"],
  ["\ud800", "\\ud800"],
  ["tab\tstays", "tab\tstays"],
])("what acts is written out: %j", (text, shown) => {
  expect(plain(text)).toBe(shown);
});

test("line ends stay in a text of many lines", () => {
  expect(visible("a\nb\u2066")).toBe("a\nb\\u2066");
});

test("an endless list of codes is no colour", () => {
  const text = `${ESC}[${"1;".repeat(100)}m`;
  expect(plain(text)).toContain("\\x1b[1;");
});
