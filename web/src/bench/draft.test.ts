// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import { aRequest } from "../testing/values";

const KEY = "seatrial.draft";

beforeEach(() => {
  localStorage.clear();
  vi.resetModules();
});

/** The page as it is after a reload. */
const reloaded = () => import("./draft");
const kept = () => JSON.parse(localStorage.getItem(KEY) ?? "null");
const filled = { files: { "agent.py": "x = 1", "b.py": "" }, query: "ahoy", model: "none" };

/** What the page has now: another draft put in its place gives it back. */
const current = ({ replaceDraft, fresh }: Awaited<ReturnType<typeof reloaded>>) =>
  replaceDraft(fresh());

test("somebody new finds a template, which nobody has touched", async () => {
  const page = await reloaded();
  const draft = current(page);
  expect(draft.files["agent.py"]).toContain("def run");
  expect(page.draftIsTouched(draft)).toBe(false);
  expect(page.draftIsTouched({ ...draft, files: { "agent.py": "x" } })).toBe(true);
});

test("what is typed right before a reload survives it", async () => {
  (await reloaded()).changeDraft(filled);
  window.dispatchEvent(new Event("pagehide"));
  vi.resetModules();
  expect(current(await reloaded())).toMatchObject(filled);
});

test("a draft of another version gives what this one knows, and the rest is left out", async () => {
  localStorage.setItem(KEY, JSON.stringify({ ...filled, flavour: "mint" }));
  const draft = current(await reloaded());
  expect(draft).toMatchObject({ ...filled, timeout_seconds: 180 });
  expect(draft).not.toHaveProperty("flavour");
});

test.each(["", "{", "null", '"text"', '{"files": {"agent.py": 7}}', "[]"])(
  "a kept draft that reads %o is no draft",
  async (text) => {
    localStorage.setItem(KEY, text);
    const page = await reloaded();
    expect(page.draftIsTouched(current(page))).toBe(false);
  },
);

test("a draft too large for the browser's store goes on living in the tab", async () => {
  const page = await reloaded();
  vi.stubGlobal("localStorage", {
    setItem: () => {
      throw new DOMException("full", "QuotaExceededError");
    },
  });
  page.changeDraft(filled);
  window.dispatchEvent(new Event("pagehide"));
  vi.unstubAllGlobals();
  expect(kept()).toBeNull();
  expect(current(page)).toMatchObject(filled);
});

test("files that are added stand beside the others, and requirements only where some are given", async () => {
  const page = await reloaded();
  page.changeDraft({ ...filled, requirements: "rich\n" });
  page.addToDraft({ "c.py": "c" }, undefined);
  page.addToDraft({ "b.py": "b" }, undefined);
  expect(current(page)).toMatchObject({
    files: { "agent.py": "x = 1", "b.py": "b", "c.py": "c" },
    requirements: "rich\n",
  });
});

test("a test's request comes to the bench whole, but not as a replay", async () => {
  const { draftOf } = await reloaded();
  const request = aRequest({ egress: ["a.example:443"], replay_of: "t09", name: "mine" });
  expect(draftOf(request)).toMatchObject({
    egress: ["a.example:443"],
    name: "mine",
    replay_of: null,
  });
});
