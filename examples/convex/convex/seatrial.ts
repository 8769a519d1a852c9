/**
 * Seatrial's REST API as a back end needs it: submit a test, read it, and when to look again.
 *
 * No import and no state, so that it runs wherever `fetch` is.
 */

/** A server and the API token to use there. */
export interface Server {
  url: string;
  token?: string | undefined;
}

/** What is asked of Seatrial; more fields are in `api/openapi.json`. */
export interface TestRequest {
  files: Record<string, string>;
  query: string;
  requirements?: string;
  model?: string;
  timeout_seconds?: number;
}

/** What this example reads of a test. */
export interface Test {
  id: string;
  phase: "queued" | "building" | "running" | "completed";
  outcome: "succeeded" | "failed" | "cancelled" | "timed_out" | null;
  failure: { code: string; title: string; what_to_do: string } | null;
  result: { response: string } | null;
  queue: { position: number; wait: { low_seconds: number; high_seconds: number } } | null;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** An answer of the server that is none of the good ones (RFC 9457), or no answer at all. */
export class SeatrialError extends Error {
  readonly status: number;
  /** Milliseconds after which it may help to ask again; null when it will not. */
  readonly again: number | null;

  constructor(message: string, status: number, again: number | null) {
    super(message);
    this.name = "SeatrialError";
    this.status = status;
    this.again = again;
  }
}

const SHORTEST = 1_000;
const LONGEST = 30_000;
const GROWTH = 1.6;

/**
 * Queue a test. The same `key` within a day gives the same test again, so a call whose answer was
 * lost can be repeated: use an id of yours.
 */
export async function submit(
  server: Server,
  request: TestRequest,
  key: string,
  fetching: Fetch = fetch,
): Promise<Test> {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  const init = { method: "POST", headers, body: JSON.stringify(request) };
  return (await asked(server, "/api/v1/tests", init, fetching)) as Test;
}

/** The test as it stands now. */
export async function read(server: Server, id: string, fetching: Fetch = fetch): Promise<Test> {
  const path = `/api/v1/tests/${encodeURIComponent(id)}`;
  return (await asked(server, path, { method: "GET" }, fetching)) as Test;
}

/**
 * Milliseconds until a test that was looked at `looks` times is looked at again: longer each time,
 * never before a queued test's turn can come, and a little at random, so that many do not come at
 * once.
 */
export function pauseAfter(looks: number, test: Test | null, random = Math.random): number {
  const growing = Math.min(LONGEST, SHORTEST * GROWTH ** Math.min(looks, 20));
  const turn = test?.phase === "queued" ? (test.queue?.wait.low_seconds ?? 0) * 1000 : 0;
  return Math.round(Math.min(LONGEST, Math.max(growing, turn)) * (1 - random() / 4));
}

async function asked(
  server: Server,
  path: string,
  init: RequestInit,
  fetching: Fetch,
): Promise<unknown> {
  const headers = { ...(init.headers as Record<string, string>) };
  if (server.token) headers.Authorization = `Bearer ${server.token}`;
  let answer: Response;
  try {
    answer = await fetching(server.url.replace(/\/+$/, "") + path, { ...init, headers });
  } catch (error) {
    throw new SeatrialError(`Seatrial cannot be reached: ${String(error)}`, 0, SHORTEST);
  }
  if (answer.ok) return answer.json();
  const problem = (await answer.json().catch(() => ({}))) as { detail?: string };
  const message = problem.detail ?? `Seatrial answered ${answer.status}.`;
  throw new SeatrialError(message, answer.status, againAfter(answer));
}

/** Too many waiting tests (429) and faults of the server pass; everything else stays as it is. */
function againAfter(answer: Response): number | null {
  if (answer.status !== 429 && answer.status < 500) return null;
  const seconds = Number(answer.headers.get("retry-after") ?? "");
  return seconds > 0 ? seconds * 1000 : SHORTEST;
}
