import { expect, test } from "vitest";
import type { Event } from "../api/schema";
import { Journal, lineThatProves } from "./journal";

let number = 0;
const event = (data: Event["data"]): Event => ({
  number: ++number,
  at: "2026-01-01T00:00:00Z",
  data,
});
const log = (text: string, stream: "stdout" | "stderr" = "stdout") =>
  event({ kind: "log", stream, text });

function lines(...events: Event[]): string[] {
  const journal = new Journal();
  journal.add(events);
  return journal.told().lines.map((line) => line.text);
}

test("a line that comes in pieces is one line", () => {
  expect(lines(log("a"), log("b\nc"), log("d\n"))).toEqual(["ab", "cd"]);
});

test("streams that alternate within a line do not mix", () => {
  expect(lines(log("out"), log("err\n", "stderr"), log("put\n"))).toEqual(["output", "err"]);
});

test("empty lines stay and the end of a line is no line", () => {
  expect(lines(log("a\n\nb\r\n"), log("c\n"))).toEqual(["a", "", "b", "c"]);
});

test("a colour goes on in the next line of its own stream alone", () => {
  const journal = new Journal();
  journal.add([log("\x1b[31mred\n"), log("plain\n", "stderr"), log("still red\n")]);
  expect(journal.told().lines.map((line) => line.look.color)).toEqual([undefined, undefined, 1]);
});

test("the line that proves something is the nearest before the event that says so", () => {
  const journal = new Journal();
  const [first, second, later] = [log("boom\n"), log("in\nboom\n"), log("boom\n")];
  journal.add([first, second, later]);
  const { lines: told } = journal.told();
  expect(lineThatProves(told, "Error\nboom", second.number)).toBe(2);
  expect(lineThatProves(told, "boom", 0)).toBe(0);
  expect(lineThatProves(told, "nothing of the kind", later.number)).toBe(-1);
  expect(lineThatProves(told, "", later.number)).toBe(-1);
});

test("another attempt answers anew", () => {
  const journal = new Journal();
  journal.add([
    event({ kind: "response", text: "half" }),
    event({ kind: "phase", phase: "queued", attempt: 1, message: "" }),
    event({ kind: "response", text: "whole" }),
  ]);
  expect(journal.told().response).toBe("whole");
});

test("the journal is over with the phase completed", () => {
  const journal = new Journal();
  journal.add([event({ kind: "phase", phase: "running", attempt: 1, message: "" })]);
  expect(journal.told().completed).toBe(false);
  journal.add([event({ kind: "phase", phase: "completed", attempt: 1, message: "" })]);
  expect(journal.told().completed).toBe(true);
});
