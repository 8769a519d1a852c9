// @vitest-environment happy-dom
import { spotlight } from "@mantine/spotlight";
import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { fresh, replaceDraft } from "../bench/draft";
import { show } from "../testing/render";
import { answering } from "../testing/server";
import { aTest } from "../testing/values";
import Palette from "./Palette";

const recent = {
  tests: [{ id: "t09", query: "old\u202e", phase: "completed", outcome: "failed" }],
};

async function opened(routes: Parameters<typeof answering>[0] = {}, at = "/") {
  const asked = answering({ "GET /api/v1/tests": () => recent, ...routes });
  const view = await show(<Palette />, at);
  act(() => spotlight.open());
  return { asked, ...view, field: await screen.findByLabelText("Go to or do") };
}

test("a few letters and Enter go to a place", async () => {
  const { field, at } = await opened();
  await userEvent.type(field, "creden{Enter}");
  await waitFor(() => expect(at()).toBe("/credentials"));
});

test("a recent test is found by its query, which is shown as text", async () => {
  const { field, at } = await opened();
  expect(await screen.findByText("old\\u202e")).toBeTruthy();
  await userEvent.type(field, "old{Enter}");
  await waitFor(() => expect(at()).toBe("/tests/t09"));
});

test("a template is put at the bench, and the page goes there", async () => {
  replaceDraft(fresh());
  const { field, at } = await opened({}, "/tests");
  await userEvent.type(field, "aws bedrock{Enter}");
  await waitFor(() => expect(at()).toBe("/"));
  expect(replaceDraft(fresh()).files["agent.py"]).toContain("bedrock-runtime");
});

test("what is at the bench is run from anywhere", async () => {
  replaceDraft({ ...fresh(), query: "all hands" });
  const { field, asked, at } = await opened(
    { "POST /api/v1/tests": () => aTest({ id: "t02" }) },
    "/tests",
  );
  await userEvent.type(field, "run what{Enter}");
  await waitFor(() => expect(at()).toBe("/tests/t02"));
  expect(asked.find(({ method }) => method === "POST")?.body).toMatchObject({ query: "all hands" });
});

test.each([
  ["running", "Stop this test", "cancel"],
  ["completed", "Retry this test", "retry"],
] as const)("of a test that is %s the palette offers to %s", async (phase, label, call) => {
  const { field, asked } = await opened(
    {
      "GET /api/v1/tests/t01": () => aTest({ phase }),
      [`POST /api/v1/tests/t01/${call}`]: () => aTest({ phase }),
    },
    "/tests/t01",
  );
  await screen.findByText(label);
  await userEvent.type(field, `${label}{Enter}`);
  await waitFor(() => expect(asked.some(({ path }) => path.endsWith(`/t01/${call}`))).toBe(true));
});

test("where no test is open none is offered to be stopped", async () => {
  await opened();
  expect(screen.queryByText(/this test/)).toBeNull();
});
