import createClient, { type Middleware } from "openapi-fetch";
import { problemOf } from "./problem";
import type { paths } from "./schema";
import { identity } from "./session";

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

const manners: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(identity())) request.headers.set(name, value);
  },
  async onResponse({ response }) {
    learnClock(response);
    if (!response.ok) throw await problemOf(response);
  },
};

/** The public API, typed by its description. Every answer but a good one is thrown. */
export const api = createClient<paths>({ baseUrl: "/" });
api.use(manners);

/** The body of an answer. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}
