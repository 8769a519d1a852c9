import type { FieldProblem, Problem } from "./schema";

/** What the server refused or could not do, in its own words. */
export class ApiProblem extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = "ApiProblem";
  }

  get status(): number {
    return this.problem.status;
  }

  /** The fields that break a rule. */
  get fields(): readonly FieldProblem[] {
    return this.problem.errors;
  }
}

/** No answer came: the server is away, or the network between is. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("The server cannot be reached.", { cause });
    this.name = "Unreachable";
  }
}

/** What a request failed with: `fetch` throws a TypeError when no answer comes. */
export function requestError(error: unknown): unknown {
  return error instanceof TypeError ? new Unreachable(error) : error;
}

/** The problem that an answer holds; one of our own where it holds none. */
export async function problemOf(answer: Response): Promise<ApiProblem> {
  try {
    const problem = (await answer.json()) as Problem;
    if (typeof problem.detail === "string") return new ApiProblem(problem);
  } catch {
    // A proxy in between may answer anything.
  }
  const detail = `The server answered ${answer.status} ${answer.statusText}.`;
  return new ApiProblem({
    type: "about:blank",
    title: answer.statusText,
    status: answer.status,
    detail,
    code: "http",
    hint: "",
    errors: [],
    retry_after_seconds: null,
    incident: null,
  });
}

/** Whether the caller is not, or no longer, signed in. */
export function needsSignIn(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 401;
}

/** Whether the server asks for the local token that `seatrial serve` prints. */
export function needsLocalToken(error: unknown): boolean {
  return error instanceof ApiProblem && error.problem.code === "local_token_needed";
}

/** An error as one sentence and, where there is one, a hint. */
export function inWords(error: unknown): { message: string; hint: string } {
  if (error instanceof ApiProblem) return { message: error.message, hint: error.problem.hint };
  if (error instanceof Unreachable)
    return { message: error.message, hint: "Check that the server is running, then try again." };
  return { message: error instanceof Error ? error.message : String(error), hint: "" };
}
