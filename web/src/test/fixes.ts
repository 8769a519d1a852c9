import type { Failure, RetryChanges, TestRequest } from "../api/schema";

/** A change that a failure offers: what the button says, and what the retry does otherwise. */
export interface Fix {
  label: string;
  changes: RetryChanges;
}

const LIMITS: Record<string, (value: number) => string> = {
  memory_mb: (value) => `Allow ${value} MiB of memory`,
  processes: (value) => `Allow ${value} processes`,
  disk_mb: (value) => `Allow ${value} MiB of disk`,
  open_files: (value) => `Allow ${value} open files`,
  log_kb: (value) => `Keep ${value} KiB of log`,
  response_kb: (value) => `Allow ${value} KiB of response`,
  model_calls: (value) => `Allow ${value} model calls`,
  model_tokens: (value) => `Allow ${value} tokens`,
  traffic_mb: (value) => `Allow ${value} MiB of traffic`,
};

/** The model of Ollama that is to be pulled before the test is run again; null when none is. */
export function modelToPull(failure: Failure): string | null {
  const model = failure.fix.pull_model;
  return typeof model === "string" ? model : null;
}

/** The fix of a failure; null when it offers none that a retry can make. */
export function fixOf(failure: Failure, request: TestRequest): Fix | null {
  const words: string[] = [];
  const changes: RetryChanges = {};
  for (const [name, value] of Object.entries(failure.fix)) {
    const limit = LIMITS[name];
    if (name === "add_requirement") {
      changes.requirements = withLine(request.requirements, String(value));
      words.push(`Add ${value} to the requirements`);
    } else if (name === "add_egress") {
      changes.egress = [...request.egress, String(value)];
      words.push(`Allow ${value}`);
    } else if (name === "add_allow") {
      changes.allow = [...request.allow, String(value)];
      words.push(`Allow ${value}`);
    } else if (name === "timeout_seconds") {
      changes.timeout_seconds = Number(value);
      words.push(`Allow ${value} s`);
    } else if (name === "python") {
      changes.python = String(value);
      words.push(`Use Python ${value}`);
    } else if (name === "model") {
      changes.model = String(value);
      words.push(`Use ${value}`);
    } else if (limit) {
      changes.limits = { ...changes.limits, [name]: Number(value) };
      words.push(limit(Number(value)));
    } else {
      return null;
    }
  }
  return words.length > 0 ? { label: words.join(", "), changes } : null;
}

function withLine(text: string, line: string): string {
  // Nor does the last line go on: a backslash at its end would join them.
  const before = text.trimEnd().replace(/\\+$/, "").trimEnd();
  return before ? `${before}\n${line}\n` : `${line}\n`;
}
