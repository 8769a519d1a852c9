// @vitest-environment happy-dom
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../testing/render";
import { answering, refusal } from "../testing/server";
import { StatusPage } from "./StatusPage";

const ENGINE = "docker 28.5.1, x86_64";
const QUEUE = {
  queued: 2,
  running: 1,
  slots: 1,
  wait: { low_seconds: 20, high_seconds: 40 },
  reason: "every slot is busy",
  waits_measured: 10,
  waits_kept: 8,
  outcomes: {},
  workers: [
    { engine: ENGINE, slots: 1, trouble: "" },
    { engine: "", slots: 0, trouble: "the container engine does not answer: it is away" },
  ],
};
const LIMITS = {
  limits: {
    memory_mb: { usual: 512, least: 32, most: 4096 },
    model_tokens: { usual: 0, least: 0, most: 1e12 },
    unheard_of: { usual: 1, least: 1, most: 2 },
  },
};
const routes = (queue: unknown) => ({
  "GET /api/v1/queue": () => queue,
  "GET /api/v1/limits": () => LIMITS,
  "GET /api/v1/providers": () => ({ providers: [] }),
  "GET /api/v1/session": () => ({ user: "ann", local: true, version: "1" }),
});
const panel = async (name: string) => within(await screen.findByRole("region", { name }));

test("the queue says how long a test waits, why, and how often that was true", async () => {
  answering(routes(QUEUE));
  await show(<StatusPage />);
  const queue = await panel("Queue");
  expect(await queue.findByText(/starts in 20 s to 40 s\. every slot is busy/)).toBeTruthy();
  expect(queue.getByText(/^8 of the last 10 tests/)).toBeTruthy();
});

test("each worker says what it runs tests on, or what keeps it from that", async () => {
  answering(routes(QUEUE));
  await show(<StatusPage />);
  const [well, waiting] = await (await panel("Workers")).findAllByRole("listitem");
  expect(well?.textContent).toBe(`${ENGINE}1 test at one timewell`);
  expect(waiting?.textContent).toContain("No container engine was seen yet");
  expect(waiting?.textContent).toContain("it is away");
  expect(waiting?.textContent).toContain("waiting");
});

test("without a worker it says so, and that tests wait", async () => {
  answering(routes({ ...QUEUE, slots: 0, workers: [], waits_measured: 0 }));
  await show(<StatusPage />);
  expect(await (await panel("Workers")).findByText("None is connected.")).toBeTruthy();
  const queue = await panel("Queue");
  expect(queue.getByText(/they wait until one can/)).toBeTruthy();
  expect(queue.queryByText(/of the last/)).toBeNull();
});

test("a limit is told with what is usual and what is the most", async () => {
  answering(routes(QUEUE));
  await show(<StatusPage />);
  const rows = (await (await panel("Limits of a test")).findAllByRole("row")).slice(1);
  const cells = rows.map((row) => [...row.children].map((cell) => cell.textContent));
  expect(cells).toEqual([
    ["Memory (MiB)", "512", (4096).toLocaleString()],
    ["Tokens", "no limit", "no limit"],
    ["unheard_of", "1", "2"],
  ]);
});

test("what cannot be read says why, and the rest is shown", async () => {
  answering({
    ...routes(QUEUE),
    "GET /api/v1/limits": () => refusal(503, "The database is away."),
  });
  await show(<StatusPage />);
  expect(await (await panel("Limits of a test")).findByText(/The database is away/)).toBeTruthy();
  expect(await (await panel("Workers")).findByText(ENGINE)).toBeTruthy();
});
