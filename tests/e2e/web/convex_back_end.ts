/** Drives the Convex example's own REST calls without Convex, configured by the same variables. */

import { pauseAfter, read, SeatrialError, submit } from "../../../examples/convex/convex/seatrial.ts";

const server = { url: process.env.SEATRIAL_URL ?? "", token: process.env.SEATRIAL_TOKEN };
const request = {
  files: { "agent.py": "def run(query):\n    return 'aye ' + query\n" },
  model: "none",
  query: "captain",
};
const say = (told: object) => console.log(JSON.stringify(told));

const first = await submit(server, request, "voyage-1");
const again = await submit(server, request, "voyage-1");
let test = first;
for (let looks = 0; test.phase !== "completed"; looks++) {
  await new Promise((done) => setTimeout(done, pauseAfter(looks, test)));
  test = await read(server, test.id);
}
say({ same: first.id === again.id, outcome: test.outcome, response: test.result?.response });

for (const wrong of [
  () => submit(server, { files: {}, query: "" }, "voyage-2"),
  () => read(server, "t00000000000000000000"),
  () => read({ url: "http://127.0.0.1:9" }, "t1"),
  () => read(server, "t1", async () => new Response("", { status: 429, headers: { "retry-after": "7" } })),
  () => read(server, "t1", async () => new Response("<html>", { status: 502 })),
]) {
  try {
    await wrong();
    say({ status: 200 });
  } catch (error) {
    if (!(error instanceof SeatrialError)) throw error;
    say({ status: error.status, again: error.again });
  }
}

const never = () => 0;
const queued = { ...first, phase: "queued" as const };
const waiting = (seconds: number) => ({
  ...queued,
  queue: { position: 9, wait: { low_seconds: seconds, high_seconds: seconds + 9 } },
});
say({ pauses: [0, 1, 2, 99].map((looks) => pauseAfter(looks, null, never)) });
say({ pauses: [5, 5000].map((seconds) => pauseAfter(0, waiting(seconds), never)) });
say({ pauses: [pauseAfter(0, null, () => 0.999)] });
