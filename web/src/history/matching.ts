import { api, body } from "../api/client";
import type { HistoryFilter } from "../api/queries";
import type { TestSummary } from "../api/schema";

const PAGE = 100;
const DAY = 24 * 3600 * 1000;

/** Every completed test that the filter matches, newest first, page after page. */
export async function completed(filter: HistoryFilter): Promise<readonly TestSummary[]> {
  const found: TestSummary[] = [];
  let cursor: string | undefined;
  do {
    const query = { ...filter, limit: PAGE, cursor };
    const page = await body(api.GET("/api/v1/tests", { params: { query } }));
    found.push(...page.tests.filter(({ phase }) => phase === "completed"));
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
  return found;
}

/** Those that were created more than so many days ago; all for 0. */
export function olderThan(tests: readonly TestSummary[], days: number, now: number) {
  if (days === 0) return tests;
  return tests.filter(({ created_at }) => now - new Date(created_at).getTime() > days * DAY);
}

/** What a filter shows, in words: `failed tests that contain "x"`. */
export function described({ outcome, model, q }: HistoryFilter, count: number): string {
  const kind = outcome ? `${outcome.replace("_", " ")} ` : "";
  const noun = count === 1 ? "test" : "tests";
  const on = model ? ` of the model ${model}` : "";
  const containing = q ? ` that contain${count === 1 ? "s" : ""} “${q}”` : "";
  return `${count.toLocaleString()} ${kind}${noun}${on}${containing}`;
}

export async function removeEach(tests: readonly string[]): Promise<void> {
  for (const id of tests)
    await body(api.DELETE("/api/v1/tests/{test_id}", { params: { path: { test_id: id } } }));
}
