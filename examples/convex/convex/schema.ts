import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  agentTests: defineTable({
    query: v.string(),
    /** Seatrial's own id, once it has the test. */
    testId: v.optional(v.string()),
    phase: v.string(),
    outcome: v.optional(v.string()),
    response: v.optional(v.string()),
    /** Why it failed, and what to do. */
    failure: v.optional(v.string()),
  }),
});
