import type { Failure } from "../api/schema";

/** Whose fault a failure is, in words. */
export const WHOSE: Record<Failure["whose"], string> = {
  agent: "Your agent",
  dependencies: "Its requirements",
  model: "The model service",
  limit: "A limit of the test",
  platform: "Seatrial",
  user: "Your settings",
};
