// @vitest-environment happy-dom
import { fireEvent, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { show } from "../testing/render";
import { Crash } from "./Crash";

test("a view that failed shows its error, a second try and a way out", async () => {
  const reset = vi.fn();
  await show(<Crash error={new TypeError("reading 'query'")} reset={reset} />);
  expect(await screen.findByText("reading 'query'")).toBeTruthy();
  expect(screen.queryByText(/cannot be reached/)).toBeNull();
  expect(screen.getByRole("link", { name: "See your tests" })).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(reset).toHaveBeenCalledOnce();
});
