import { ApiProblem } from "../api/problem";
import type { FieldProblem } from "../api/schema";
import type { Draft } from "./draft";

/** The tab of the requirements, which are a field of their own. */
export const REQUIREMENTS = "requirements.txt";

const NONE: readonly FieldProblem[] = [];

/** The tab that shows a problem; empty when none does. */
export function fileOf(problem: FieldProblem): string {
  return problem.field === "requirements" ? REQUIREMENTS : (problem.file ?? "");
}

/** The id of the input of a field. */
export function idOf(field: string): string {
  return `field-${field.replaceAll(".", "-")}`;
}

/** Fields that no input of the page shows. */
const WITHOUT_INPUT = new Set(["webhook", "replay_of"]);

/** Whether neither a tab nor an input shows a problem: it is about all files together, say. */
function isHomeless(problem: FieldProblem, draft: Draft): boolean {
  if (problem.field === "files") return !(fileOf(problem) in draft.files);
  return WITHOUT_INPUT.has(problem.field);
}

interface Attempt {
  error: unknown;
  variables: Draft | undefined;
}

/** Whether the server refused to run the draft because of its fields. */
export function wasRefused({ error }: Attempt): boolean {
  return error instanceof ApiProblem && error.status === 422 && error.fields.length > 0;
}

/**
 * What the Run button says is wrong: after a refused run every problem there still is, before one
 * only those that no field or tab shows.
 */
export function problemsAtRun(
  draft: Draft,
  live: readonly FieldProblem[],
  attempt: Attempt,
): readonly FieldProblem[] {
  if (!wasRefused(attempt)) return live.filter((problem) => isHomeless(problem, draft));
  if (draft !== attempt.variables) return live;
  return attempt.error instanceof ApiProblem ? attempt.error.fields : NONE;
}
