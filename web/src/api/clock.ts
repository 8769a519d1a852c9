let clockAhead = 0;

/** Milliseconds since 1970 by the server's clock, as far as its answers tell (to a second). */
export function serverNow(): number {
  return Date.now() + clockAhead;
}

/** Learn from an answer how far the server's clock is ahead of this one. */
export function learnClock(answer: Response): void {
  const date = Date.parse(answer.headers.get("date") ?? "");
  const ahead = date - Date.now();
  // The header has whole seconds: less than that is no difference.
  if (!Number.isNaN(ahead)) clockAhead = Math.abs(ahead) < 2000 ? 0 : ahead;
}
