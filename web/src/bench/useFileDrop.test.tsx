// @vitest-environment happy-dom
import { createEvent, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { fresh, replaceDraft, useDraft } from "./draft";
import { useFileDrop } from "./useFileDrop";

function Place() {
  const drop = useFileDrop();
  const { files } = useDraft();
  return (
    <section aria-label="Files" {...drop.handlers}>
      {drop.over && "Drop files or a zip"}
      <p>{Object.keys(files).join(" ")}</p>
    </section>
  );
}

function shown() {
  replaceDraft(fresh());
  render(<Place />);
  return screen.getByRole("region", { name: "Files" });
}
const carrying = (...files: File[]) => ({ dataTransfer: { types: ["Files"], files } });

function leave(place: HTMLElement, to: HTMLElement): void {
  const left = createEvent.dragLeave(place, carrying());
  Object.defineProperty(left, "relatedTarget", { value: to });
  fireEvent(place, left);
}

test("files that are dropped are added, and the browser does not leave for them", async () => {
  const place = shown();
  fireEvent.dragEnter(place, carrying());
  expect(place.textContent).toContain("Drop files or a zip");
  const over = createEvent.dragOver(place, carrying());
  const dropped = createEvent.drop(place, carrying(new File(["x = 1"], "dropped.py")));
  for (const event of [over, dropped]) {
    fireEvent(place, event);
    expect(event.defaultPrevented).toBe(true);
  }
  await waitFor(() => expect(place.textContent).toContain("dropped.py"));
  expect(place.textContent).not.toContain("Drop files or a zip");
});

test("what is dragged out again leaves no mark, what is dragged within it does", () => {
  const place = shown();
  fireEvent.dragEnter(place, carrying());
  leave(place, screen.getByText(/agent.py/));
  expect(place.textContent).toContain("Drop files or a zip");
  leave(place, document.body);
  expect(place.textContent).not.toContain("Drop files or a zip");
});

test("a piece of text that is dragged is left to the editor", () => {
  const place = shown();
  const text = { dataTransfer: { types: ["text/plain"], files: [] } };
  fireEvent.dragEnter(place, text);
  expect(place.textContent).not.toContain("Drop files or a zip");
  const dropped = createEvent.drop(place, text);
  fireEvent(place, dropped);
  expect(dropped.defaultPrevented).toBe(false);
});

test("a folder that is dropped is read with its folders, without what is hidden", async () => {
  const place = shown();
  const leaf = (path: string) => ({
    isFile: true,
    isDirectory: false,
    name: path.split("/").at(-1),
    fullPath: path,
    file: (take: (file: File) => void) => take(new File(["x = 1"], "x")),
  });
  const folder = (path: string, children: unknown[]) => ({
    isFile: false,
    isDirectory: true,
    name: path.split("/").at(-1),
    fullPath: path,
    createReader: () => {
      const pieces = [...children.map((child) => [child]), []];
      return { readEntries: (take: (piece: unknown) => void) => take(pieces.shift()) };
    },
  });
  const entry = folder("/app", [
    leaf("/app/__init__.py"),
    leaf("/app/agent.py"),
    leaf("/app/.env"),
    folder("/app/.git", [leaf("/app/.git/config")]),
    folder("/app/data", [leaf("/app/data/p.txt")]),
  ]);
  const items = [{ webkitGetAsEntry: () => entry }];
  fireEvent.drop(place, { dataTransfer: { types: ["Files"], files: [], items } });
  await waitFor(() => expect(place.textContent).toContain("app/data/p.txt"));
  expect(place.textContent).toBe("app/__init__.py app/agent.py app/data/p.txt");
});
