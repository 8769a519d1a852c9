// @vitest-environment happy-dom
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { FieldProblem } from "../api/schema";
import { show } from "../testing/render";
import { answering } from "../testing/server";
import { changeDraft, fresh, replaceDraft, useDraft } from "./draft";
import { problemOfField, useChecks } from "./useChecks";

const wrong = (field: string, message: string): FieldProblem =>
  ({ field, message, file: null, line: null, column: null }) as FieldProblem;
const refused = (errors: FieldProblem[]) =>
  Response.json(
    { type: "about:blank", title: "", status: 422, detail: "No.", code: "x", hint: "", errors },
    { status: 422 },
  );

function Field() {
  const draft = useDraft();
  const problems = useChecks(draft);
  return (
    <>
      <input
        aria-label="Query"
        value={draft.query}
        onChange={(event) => changeDraft({ query: event.target.value })}
      />
      <p>{problemOfField(problems, "query") ?? "fine"}</p>
    </>
  );
}

test("what is typed is checked once it rests, and only what was there then", async () => {
  replaceDraft({ ...fresh(), query: "" });
  const asked = answering({
    "POST /api/v1/validate": ({ body }) =>
      (body as { query: string }).query.length > 3 ? refused([wrong("query", "Too long.")]) : {},
  });
  await show(<Field />);
  await waitFor(() => expect(asked).toHaveLength(1));
  await userEvent.type(screen.getByLabelText("Query"), "voyage");
  expect(await screen.findByText("Too long.")).toBeTruthy();
  expect(asked.map(({ body }) => (body as { query: string }).query)).toEqual(["", "voyage"]);
  await userEvent.clear(screen.getByLabelText("Query"));
  expect(await screen.findByText("fine")).toBeTruthy();
});

test("several problems of one field are one text, and those of others are not in it", () => {
  const problems = [wrong("query", "A."), wrong("query", "B."), wrong("queries", "C.")];
  expect(problemOfField(problems, "query")).toBe("A. B.");
  expect(problemOfField(problems, "model")).toBeNull();
});
