// @vitest-environment happy-dom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { show } from "../testing/render";
import { answering } from "../testing/server";
import { CredentialChooser } from "./CredentialChooser";
import { fresh, useDraft } from "./draft";

const kept = (name: string, provider: string) => ({
  name,
  provider,
  updated_at: "2026-01-01T00:00:00Z",
});

function AtTheBench() {
  return <CredentialChooser draft={useDraft()} error={null} />;
}

test("a key is stored and chosen without leaving the bench, and the page keeps nothing of it", async () => {
  const stored = [kept("tool", "secret")];
  const asked = answering({
    "GET /api/v1/credentials": () => ({ credentials: stored }),
    "GET /api/v1/providers": () => ({ providers: [] }),
    "PUT /api/v1/credentials/work": () => {
      stored.push(kept("work", "openai"));
      return kept("work", "openai");
    },
  });
  const { container } = await show(<AtTheBench />);
  expect(await screen.findByPlaceholderText("None is stored")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Store a credential" }));
  const dialog = within(await screen.findByRole("dialog"));
  const name = dialog.getByLabelText(/^Name/);
  await userEvent.clear(name);
  await userEvent.type(name, "work");
  await userEvent.type(dialog.getByLabelText(/^API key/), "sk-very-secret");
  await userEvent.click(dialog.getByRole("button", { name: "Store" }));

  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(asked.find(({ method }) => method === "PUT")?.body).toEqual({
    provider: "openai",
    api_key: "sk-very-secret",
  });
  const chooser = screen.getByRole("combobox", { name: "Credential" }) as HTMLInputElement;
  await waitFor(() => expect(chooser.value).toBe("work (openai)"));
  expect(container.ownerDocument.documentElement.outerHTML).not.toContain("sk-very-secret");
  expect(JSON.stringify(localStorage)).not.toContain("sk-very-secret");
  expect(fresh().credential).toBeNull();
});
