import createClient, { type Middleware } from "openapi-fetch";
import { learnClock } from "./clock";
import { problemOf, requestError } from "./problem";
import type { paths } from "./schema";
import { identity } from "./session";

const manners: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(identity())) request.headers.set(name, value);
  },
  async onResponse({ response }) {
    learnClock(response);
    if (!response.ok) throw await problemOf(response);
  },
  onError({ error }) {
    return requestError(error) as Error;
  },
};

/** The public API, typed by its description. Every answer but a good one is thrown. */
export const api = createClient<paths>({ baseUrl: "/" });
api.use(manners);

/** The body of an answer. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}
