import type { Event, Test, TestRequest } from "../api/schema";
import { Journal, type Told } from "../test/journal";

/** A request as the server keeps one. */
export function aRequest(changes: Partial<TestRequest> = {}): TestRequest {
  const request = {
    files: { "agent.py": "def run(query):\n    return query\n" },
    requirements: "",
    query: "Name the capital of France.",
    model: "none",
    timeout_seconds: 180,
    limits: { memory_mb: 512, cpus: 1 },
    egress: [],
    allow: [],
    env: {},
    secrets: {},
  };
  return { ...request, ...changes } as unknown as TestRequest;
}

/** A test; succeeded unless it is said otherwise. */
export function aTest(changes: Partial<Test> = {}): Test {
  const test = {
    id: "t01",
    phase: "completed",
    outcome: "succeeded",
    attempt: 1,
    cancel_requested: false,
    created_at: "2026-01-01T00:00:00Z",
    request: aRequest(),
    result: { response: "Paris", model: null },
    failure: null,
    metrics: null,
  };
  return { ...test, ...changes } as unknown as Test;
}

/** Events numbered from 1, a second apart. */
export function events(...all: Event["data"][]): Event[] {
  return all.map((data, index) => ({
    number: index + 1,
    at: new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString(),
    data,
  }));
}

/** What these events tell. */
export function toldBy(...all: Event["data"][]): Told {
  const journal = new Journal();
  journal.add(events(...all));
  return journal.told();
}

/** The last event of every journal. */
export const OVER: Event["data"] = { kind: "phase", phase: "completed", attempt: 1, message: "" };
