// @vitest-environment happy-dom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { show } from "../testing/render";
import { answering } from "../testing/server";
import { CredentialsPage } from "./CredentialsPage";

const WORK = { name: "work", provider: "openai", updated_at: "2026-01-01T00:00:00Z" };

function server() {
  const asked = answering({
    "GET /api/v1/credentials": () => ({ credentials: [WORK] }),
    "GET /api/v1/providers": () => ({ providers: [] }),
    "DELETE /api/v1/credentials/work": () => new Response(null, { status: 204 }),
    "PUT /api/v1/credentials/work": () => WORK,
    "PUT /api/v1/credentials/other": () => ({ ...WORK, name: "other" }),
  });
  return (method: string) => asked.filter((one) => one.method === method).map(({ path }) => path);
}

const store = async (name: string) => {
  await userEvent.clear(screen.getByLabelText(/^Name/));
  await userEvent.type(screen.getByLabelText(/^Name/), name);
  await userEvent.type(screen.getByLabelText(/key/i), "sk-1");
  await userEvent.click(screen.getByRole("button", { name: "Store" }));
};
const dialog = async () => within(await screen.findByRole("dialog"));

test("a credential is removed after a second yes alone", async () => {
  const sent = server();
  await show(<CredentialsPage />);
  await userEvent.click(await screen.findByRole("button", { name: "Remove work" }));
  await userEvent.click((await dialog()).getByRole("button", { name: "Keep" }));
  expect(sent("DELETE")).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Remove work" }));
  await userEvent.click((await dialog()).getByRole("button", { name: "Remove" }));
  await waitFor(() => expect(sent("DELETE")).toEqual(["/api/v1/credentials/work"]));
});

test("a name that is stored is replaced after a second yes alone", async () => {
  const sent = server();
  await show(<CredentialsPage />);
  await screen.findByText("work");
  await store("work");
  expect((await screen.findByRole("dialog")).textContent).toContain("A credential named work");
  await userEvent.click((await dialog()).getByRole("button", { name: "Keep" }));
  expect(sent("PUT")).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Store" }));
  await userEvent.click((await dialog()).getByRole("button", { name: "Replace" }));
  await waitFor(() => expect(sent("PUT")).toEqual(["/api/v1/credentials/work"]));
});

test("a new name is stored at once", async () => {
  const sent = server();
  await show(<CredentialsPage />);
  await screen.findByText("work");
  await store("other");
  await waitFor(() => expect(sent("PUT")).toEqual(["/api/v1/credentials/other"]));
});
