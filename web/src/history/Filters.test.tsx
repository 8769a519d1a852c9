// @vitest-environment happy-dom
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { show } from "../testing/render";
import { Filters } from "./Filters";

test("what is typed goes into the address once it rests, and stays beside the other filters", async () => {
  const { at } = await show(<Filters filter={{ outcome: "failed" }} models={[]} />);
  await userEvent.type(screen.getByLabelText("Search the history"), "voyage");
  await waitFor(() => expect(at()).toBe("/tests?outcome=failed&q=voyage"));
});

test("an emptied field is no filter", async () => {
  const { at } = await show(<Filters filter={{ q: "voyage", model: "none" }} models={[]} />);
  await userEvent.clear(screen.getByLabelText("Search the history"));
  await waitFor(() => expect(at()).toBe("/tests?model=none"));
});

test("an outcome is one press, and All takes it away", async () => {
  const { at, unmount } = await show(<Filters filter={{ q: "x" }} models={[]} />);
  await userEvent.click(screen.getByRole("radio", { name: "Timed out" }));
  await waitFor(() => expect(at()).toBe("/tests?q=x&outcome=timed_out"));
  unmount();
  const again = await show(<Filters filter={{ outcome: "timed_out" }} models={[]} />);
  await userEvent.click(screen.getByRole("radio", { name: "All" }));
  await waitFor(() => expect(again.at()).toBe("/tests"));
});

test("the models of the tests in sight are offered, each once", async () => {
  const models = ["ollama:b", "ollama:a", "ollama:b"];
  await show(<Filters filter={{}} models={models} />);
  await userEvent.click(screen.getByRole("combobox", { name: "Model" }));
  const options = await screen.findAllByRole("option");
  expect(options.map((option) => option.textContent)).toEqual(["ollama:a", "ollama:b"]);
});
