// @vitest-environment happy-dom
import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { Event } from "../api/schema";
import { show } from "../testing/render";
import { toldBy } from "../testing/values";
import { Console } from "./Console";
import type { Emptiness } from "./journal";

const saveText = vi.hoisted(() => vi.fn());
vi.mock("../shared/saveText", () => ({ saveText }));

const out = (text: string, stream: "stdout" | "stderr" | "build" = "stdout"): Event["data"] => ({
  kind: "log",
  stream,
  text,
});

// Nothing has a size here: the console gets 400 pixels, its lines 20 each.
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(400);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(800);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(20);
  return () => vi.restoreAllMocks();
});

async function shown(texts: Event["data"][], empty: Emptiness = "come") {
  await show(<Console testId="t01" told={toldBy(...texts)} empty={empty} target={null} />);
  return screen.getByRole("region", { name: "Output" });
}
const rows = (place: HTMLElement) =>
  [...place.querySelectorAll("[data-index]")].map((row) => row.textContent);

test.each([
  ["come", "Nothing was written yet."],
  ["read", "The output is being read."],
  ["nothing", "Nothing was written."],
] as const)("an empty console, when more may %s, is said so", async (empty, words) => {
  expect((await shown([], empty)).textContent).toBe(words);
});

test("lines keep their colours, their streams and their numbers", async () => {
  const place = await shown([out("\u001b[31mred\u001b[0m plain\n"), out("oh no\n", "stderr")]);
  expect(rows(place)).toEqual(["1red plain", "2oh no"]);
  expect(screen.getByText("red").style.color).toBe("var(--ansi-1)");
  expect(place.querySelector('[data-stream="stderr"]')?.textContent).toBe("2oh no");
});

test("what would act on a terminal, the page or the eye is written out", async () => {
  const place = await shown([
    out(
      "<img src=x onerror=alert(1)>\n\u001b]0;owned\u0007\u001b[2J\ninvoice\u202egpj.exe\na\rb\n",
    ),
  ]);
  expect(rows(place)).toEqual([
    "1<img src=x onerror=alert(1)>",
    "2\\x1b]0;owned\\x07\\x1b[2J",
    "3invoice\\u202egpj.exe",
    "4a\\x0db",
  ]);
  expect(place.querySelector("img")).toBeNull();
});

test("of a line of a million characters four thousand are laid out, and the rest is counted", async () => {
  const place = await shown([out(`${"M".repeat(1_000_000)}\n`)]);
  expect(place.textContent).toContain("… 996,000 more characters, in the download");
  expect(place.textContent?.length).toBeLessThan(5000);
});

test("of a hundred thousand lines only those in sight are laid out", async () => {
  const text = Array.from({ length: 100_000 }, (_, number) => `line ${number}\n`).join("");
  const place = await shown([out(text)]);
  expect(rows(place).length).toBeGreaterThan(0);
  expect(rows(place).length).toBeLessThan(100);
});

test("a search counts its matches and goes from one to the next, around the end", async () => {
  const place = await shown([out("one Fish\ntwo\nred fish\nBLUE FISH\n")]);
  const field = screen.getByLabelText("Search the console");
  await userEvent.type(field, "fish");
  const region = screen.getByRole("region", { name: "Console" });
  const marked = () => place.querySelector("[data-marked]")?.textContent;
  await waitFor(() => expect(region.textContent).toContain("1 of 3"));
  expect(place.querySelectorAll("mark")).toHaveLength(3);
  await userEvent.type(field, "{Enter}");
  await waitFor(() => expect(marked()).toBe("3red fish"));
  await userEvent.click(screen.getByRole("button", { name: "Next match" }));
  await userEvent.click(screen.getByRole("button", { name: "Next match" }));
  await waitFor(() => expect(region.textContent).toContain("1 of 3"));
  await userEvent.type(field, "{Shift>}{Enter}{/Shift}");
  await waitFor(() => expect(marked()).toBe("4BLUE FISH"));
  await userEvent.type(field, "nothing like it");
  expect(await screen.findByText("not found")).toBeTruthy();
  await userEvent.type(field, "{Escape}");
  expect((field as HTMLInputElement).value).toBe("");
});

test("a search that is a pattern or markup is only text", async () => {
  const place = await shown([out("a.c (x [y\nabc\n")]);
  await userEvent.type(screen.getByLabelText("Search the console"), "(x [[y");
  await waitFor(() => expect(place.querySelector("mark")?.textContent).toBe("(x [y"));
});

test("wrapping and following are switches that say how they stand", async () => {
  const place = await shown([out("one\n")]);
  for (const name of ["Wrap long lines", "Follow the newest line"]) {
    const button = screen.getByRole("button", { name });
    expect(button.getAttribute("aria-pressed")).toBe("true");
    await userEvent.click(button);
    expect(button.getAttribute("aria-pressed")).toBe("false");
  }
  expect(place.dataset.wrap).toBe("false");
});

test("scrolling away by hand pauses following, scrolling that nobody did does not", async () => {
  const place = await shown([out("one\n".repeat(500))]);
  const follow = screen.getByRole("button", { name: "Follow the newest line" });
  const scrolled = (top: number) => {
    Object.defineProperty(place, "scrollHeight", { value: 10_000, configurable: true });
    place.scrollTop = top;
    fireEvent.scroll(place);
  };
  scrolled(100);
  expect(follow.getAttribute("aria-pressed")).toBe("true");
  fireEvent.wheel(place);
  scrolled(100);
  expect(follow.getAttribute("aria-pressed")).toBe("false");
  fireEvent.wheel(place);
  scrolled(9600);
  expect(follow.getAttribute("aria-pressed")).toBe("true");
});

test("the download has every line whole, as it was written", async () => {
  const long = "M".repeat(10_000);
  await shown([out(`${long}\n\u001b[31mred\u001b[0m\nlast`)]);
  await userEvent.click(screen.getByRole("button", { name: "Download the log" }));
  expect(saveText).toHaveBeenCalledWith("t01.log", `${long}\n\u001b[31mred\u001b[0m\nlast\n`);
});
