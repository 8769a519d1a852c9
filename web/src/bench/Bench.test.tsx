// @vitest-environment happy-dom
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { FieldProblem } from "../api/schema";
import { show } from "../testing/render";
import { type Asked, answering, refusal } from "../testing/server";
import { aTest } from "../testing/values";
import { Bench } from "./Bench";
import { type Draft, fresh, replaceDraft } from "./draft";

// The editor measures text, which happy-dom cannot; tests/e2e/web types into the real one.
vi.mock("./Editor", () => ({
  Editor: ({ name }: { name: string }) => <textarea aria-label={name} />,
}));

const START = "POST /api/v1/tests";
const wrong = (changes: Partial<FieldProblem>): FieldProblem =>
  ({
    field: "files",
    message: "",
    file: null,
    line: null,
    column: null,
    ...changes,
  }) as FieldProblem;
const refused = (errors: FieldProblem[]) =>
  Response.json(
    { type: "about:blank", title: "", status: 422, detail: "No.", code: "x", hint: "", errors },
    { status: 422 },
  );
const run = () => screen.getByRole("button", { name: /^Run/ });
const tab = (name: string) => screen.getByRole("tab", { name: new RegExp(`^${name}`) });
const EMPTY_QUERY = wrong({
  field: "query",
  message: "The query is empty; ask the agent something.",
});

/** The bench with this draft, before a server that answers so. */
async function bench(
  draft: Partial<Draft>,
  start: (asked: Asked) => unknown,
  problems: FieldProblem[] = [],
) {
  replaceDraft({ ...fresh(), ...draft });
  const asked = answering({
    "GET /api/v1/providers": () => ({ providers: [] }),
    "GET /api/v1/credentials": () => ({ credentials: [] }),
    "POST /api/v1/validate": () => (problems.length > 0 ? refused(problems) : {}),
    [START]: start,
  });
  const shown = await show(<Bench />);
  return {
    ...shown,
    started: () => asked.filter(({ method, path }) => `${method} ${path}` === START),
  };
}

beforeEach(() => localStorage.clear());

test("an empty query is reported at the button and the field, which gets the focus", async () => {
  await bench({ query: "" }, () => refused([EMPTY_QUERY]), [EMPTY_QUERY]);
  expect(screen.queryByText(EMPTY_QUERY.message)).toBeNull();
  await userEvent.click(run());
  const alert = await screen.findByRole("alert");
  expect(within(alert).getByText(EMPTY_QUERY.message)).toBeTruthy();
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("Query")));
});

test("a problem without a tab or field is reported at the button before any run", async () => {
  const large = wrong({ message: "The files have 2,400,020 bytes in all; the limit is 1 MB." });
  const { started } = await bench({}, () => refused([large]), [large]);
  expect(within(await screen.findByRole("alert")).getByText(large.message)).toBeTruthy();
  await userEvent.click(run());
  await waitFor(() => expect(started()).toHaveLength(1));
  await waitFor(() => expect(document.activeElement?.id).toBe("refusal"));
});

test("a refused run opens the tab of the first problem", async () => {
  const syntax = wrong({ message: "Syntax error in tools.py", file: "tools.py", line: 1 });
  const files = { "agent.py": "x = 1", "tools.py": "def f(:" };
  await bench({ files }, () => refused([syntax, EMPTY_QUERY]), [syntax]);
  expect(tab("tools.py").getAttribute("aria-selected")).toBe("false");
  await userEvent.click(run());
  await waitFor(() => expect(tab("tools.py").getAttribute("aria-selected")).toBe("true"));
  await userEvent.click(screen.getByRole("button", { name: EMPTY_QUERY.message }));
  expect(document.activeElement).toBe(screen.getByLabelText("Query"));
});

test("clicks while a test starts do not start another", async () => {
  let answer: (test: unknown) => void = () => {};
  const { started, at } = await bench({}, () => new Promise((done) => (answer = done)));
  await act(async () => {
    run().click();
    run().click();
  });
  await userEvent.click(screen.getByLabelText("Query"));
  await userEvent.keyboard("{Control>}{Enter}{Enter}{/Control}");
  await waitFor(() => expect(started()).toHaveLength(1));
  answer(Response.json(aTest({ id: "t01" })));
  await waitFor(() => expect(at()).toBe("/tests/t01"));
  expect(started()).toHaveLength(1);
});

test("a draft that is sent again after a lost answer has the same key; another draft another", async () => {
  const { started } = await bench({ query: "one" }, () => refusal(503, "Away."));
  await userEvent.click(run());
  await waitFor(() => expect(started()).toHaveLength(1));
  await screen.findByText("Away.");
  await userEvent.click(run());
  await waitFor(() => expect(started()).toHaveLength(2));
  await userEvent.type(screen.getByLabelText("Query"), " two");
  await userEvent.click(run());
  await waitFor(() => expect(started()).toHaveLength(3));
  const [first, second, third] = started().map(({ headers }) => headers.get("Idempotency-Key"));
  expect(first).toBeTruthy();
  expect(second).toBe(first);
  expect(third).not.toBe(first);
});
