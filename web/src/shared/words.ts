/** Numbers and times as people read them. */

/** Seconds as `0.4 s`, `12 s`, `3 min 05 s`, `1 h 02 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const whole = Math.floor(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** Bytes as `412 KiB` or `38 MiB`. */
export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A wait as an interval: `now`, `under 5 s`, `10–40 s`. */
export function interval(low: number, high: number): string {
  if (high < 1) return "now";
  if (low < 1) return `under ${duration(Math.ceil(high))}`;
  return `${duration(low)} to ${duration(high)}`;
}

const DAY = 24 * 3600 * 1000;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A time of today by the clock, any other with its date. */
export function moment(iso: string, now: number): string {
  const then = new Date(iso);
  return now - then.getTime() < DAY / 2 ? clock.format(then) : day.format(then);
}

/** `1 call`, `2 calls`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;
}
