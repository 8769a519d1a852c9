/** One question that the page asked of the server. */
export interface Asked {
  method: string;
  path: string;
  search: string;
  body: unknown;
  headers: Headers;
}

type Answer = (asked: Asked) => unknown;

/**
 * Stands in place of the server: `routes` has an answer's body for every `GET /path`. An answer
 * that is a Response is given as it is. What was asked is in the list that this returns.
 */
export function answering(routes: Record<string, Answer>): Asked[] {
  const all: Asked[] = [];
  answer = async (request) => {
    const text = request.method === "GET" ? "" : await request.text();
    const { pathname, search } = new URL(request.url);
    const body: unknown = text === "" ? null : JSON.parse(text);
    const { method, headers } = request;
    const asked = { method, path: pathname, search, body, headers };
    all.push(asked);
    const found = routes[`${asked.method} ${asked.path}`];
    if (!found) throw new Error(`Nobody expects ${asked.method} ${asked.path}.`);
    const given = await found(asked);
    return given instanceof Response ? given : Response.json(given);
  };
  return all;
}

let answer = unexpected;

async function unexpected(request: Request): Promise<Response> {
  throw new Error(`Nobody expects ${request.method} ${request.url}.`);
}

/** Put this server in place of all others. The client keeps the function that it finds first. */
export function install(): void {
  globalThis.fetch = (input, init) => {
    if (input instanceof Request) return answer(input);
    return answer(new Request(new URL(input, location.href), init));
  };
}

/** Expect no question any more. */
export function forget(): void {
  answer = unexpected;
}

/** An answer that refuses, in the server's words. */
export function refusal(status: number, detail: string, code = "refused"): Response {
  const body = {
    type: "about:blank",
    title: "Refused",
    status,
    detail,
    code,
    hint: "",
    errors: [],
  };
  return Response.json(body, { status });
}
