import { v } from "convex/values";
import { internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { type ActionCtx, internalAction, internalMutation, mutation, query } from "./_generated/server";
import { pauseAfter, read, SeatrialError, type Server, submit, type Test } from "./seatrial";

/** Troubles in a row after which a test is given up. */
const MOST_TROUBLES = 20;

/** Ask for a test of an agent. Clients see how it goes with `get`, live. */
export const start = mutation({
  args: { code: v.string(), query: v.string() },
  handler: async (ctx, { code, query }) => {
    const id = await ctx.db.insert("agentTests", { query, phase: "new" });
    await ctx.scheduler.runAfter(0, internal.agentTests.send, { id, code, query, troubles: 0 });
    return id;
  },
});

/** One test as it stands. */
export const get = query({
  args: { id: v.id("agentTests") },
  handler: (ctx, { id }) => ctx.db.get(id),
});

/** Submit it. Its own id is the key, so a repeated call makes no second test. */
export const send = internalAction({
  args: { id: v.id("agentTests"), code: v.string(), query: v.string(), troubles: v.number() },
  handler: async (ctx, { id, code, query, troubles }) => {
    try {
      const request = { files: { "agent.py": code }, query };
      const test = await submit(server(), request, id);
      await ctx.runMutation(internal.agentTests.note, { id, ...noted(test) });
      await look(ctx, id, test, 0);
    } catch (error) {
      const pause = await patience(ctx, id, error, troubles);
      const args = { id, code, query, troubles: troubles + 1 };
      if (pause !== null) await ctx.scheduler.runAfter(pause, internal.agentTests.send, args);
    }
  },
});

/** Look at it once. No action waits for a test: each look schedules the next. */
export const check = internalAction({
  args: {
    id: v.id("agentTests"),
    testId: v.string(),
    looks: v.number(),
    troubles: v.number(),
  },
  handler: async (ctx, { id, testId, looks, troubles }) => {
    try {
      const test = await read(server(), testId);
      await ctx.runMutation(internal.agentTests.note, { id, ...noted(test) });
      await look(ctx, id, test, looks + 1);
    } catch (error) {
      const pause = await patience(ctx, id, error, troubles);
      const args = { id, testId, looks, troubles: troubles + 1 };
      if (pause !== null) await ctx.scheduler.runAfter(pause, internal.agentTests.check, args);
    }
  },
});

/** Keep how it stands. */
export const note = internalMutation({
  args: {
    id: v.id("agentTests"),
    testId: v.optional(v.string()),
    phase: v.string(),
    outcome: v.optional(v.string()),
    response: v.optional(v.string()),
    failure: v.optional(v.string()),
  },
  handler: (ctx, { id, ...fields }) => ctx.db.patch(id, fields),
});

function server(): Server {
  const url = process.env.SEATRIAL_URL;
  if (!url) throw new Error("Set it first: npx convex env set SEATRIAL_URL https://…");
  return { url, token: process.env.SEATRIAL_TOKEN };
}

function noted(test: Test) {
  return {
    testId: test.id,
    phase: test.phase,
    outcome: test.outcome ?? undefined,
    response: test.result?.response,
    failure: test.failure ? `${test.failure.title} ${test.failure.what_to_do}` : undefined,
  };
}

async function look(ctx: ActionCtx, id: Id<"agentTests">, test: Test, looks: number) {
  if (test.phase === "completed") return;
  const args = { id, testId: test.id, looks, troubles: 0 };
  await ctx.scheduler.runAfter(pauseAfter(looks, test), internal.agentTests.check, args);
}

/** Milliseconds until it is tried again; null when it was given up, which is kept then. */
async function patience(
  ctx: ActionCtx,
  id: Id<"agentTests">,
  error: unknown,
  troubles: number,
): Promise<number | null> {
  if (error instanceof SeatrialError && error.again !== null && troubles < MOST_TROUBLES)
    return Math.max(error.again, pauseAfter(troubles, null));
  const failure = error instanceof Error ? error.message : String(error);
  await ctx.runMutation(internal.agentTests.note, { id, phase: "given up", failure });
  return null;
}
