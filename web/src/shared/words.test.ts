import { expect, test } from "vitest";
import { count, duration, interval, size } from "./words";

test("durations get coarser as they grow", () => {
  expect([0.04, 9.94, 12.7, 185, 3725].map(duration)).toEqual([
    "0.0 s",
    "9.9 s",
    "12 s",
    "3 min 05 s",
    "1 h 02 min",
  ]);
});

test("sizes are in powers of 1024", () => {
  expect([0, 1023, 4 * 1024, 41.5 * 2 ** 20].map(size)).toEqual([
    "0 B",
    "1023 B",
    "4.0 KiB",
    "42 MiB",
  ]);
});

test("a wait is said as an interval", () => {
  expect(interval(0, 0.2)).toBe("now");
  expect(interval(0, 4.2)).toBe("under 5.0 s");
  expect(interval(12, 48)).toBe("12 s to 48 s");
});

test("one is not many", () => {
  expect([count(1, "call"), count(2, "call")]).toEqual(["1 call", "2 calls"]);
});
