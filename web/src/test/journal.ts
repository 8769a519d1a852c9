import type {
  Event,
  MetricEvent,
  ModelCallEvent,
  NoticeEvent,
  Phase,
  QueueEvent,
} from "../api/schema";
import { type Look, pieces } from "../shared/ansi";

/** One line of the console. `event` is the number of the event that it came with. */
export interface Line {
  text: string;
  stream: "stdout" | "stderr" | "build" | "system";
  event: number;
  /** How it looks where it begins: colours go on over line ends. */
  look: Look;
}

/** Something that happened at a time, in milliseconds since 1970 by the server's clock. */
export interface At<T> {
  at: number;
  number: number;
  data: T;
}

/** All that a test's journal tells so far. Lists only ever grow at their end. */
export interface Told {
  lines: readonly Line[];
  lineCount: number;
  response: string;
  phases: readonly At<{ phase: Phase; attempt: number }>[];
  queue: QueueEvent | null;
  metrics: readonly At<MetricEvent>[];
  calls: readonly At<ModelCallEvent>[];
  notices: readonly At<NoticeEvent>[];
  completed: boolean;
}

/** What an empty part of a test means: more may `come`, it is being `read`, or `nothing` came. */
export type Emptiness = "come" | "read" | "nothing";

/** What it means that nothing is told of something. */
export function emptiness(phase: Phase, told: Told): Emptiness {
  if (told.completed) return "nothing";
  return phase === "completed" ? "read" : "come";
}

/** The line that proves something which the event of that number says; -1 when none does. */
export function lineThatProves(lines: readonly Line[], evidence: string, event: number): number {
  const wanted = evidence.trim().split("\n").at(-1) ?? "";
  if (wanted === "") return -1;
  const before = lines.findLastIndex((line) => line.event <= event && line.text.includes(wanted));
  return before >= 0 ? before : lines.findIndex((line) => line.text.includes(wanted));
}

/** Whether the test itself reads otherwise after this event. */
export function changesTest(event: Event): boolean {
  return event.data.kind === "phase" || event.data.kind === "failure";
}

/** Longest line that is shown; the rest of it is in the download. */
export const LONGEST_LINE = 4000;

/** Folds a journal's events into what the page shows, each once and in order. */
export class Journal {
  private readonly lines: Line[] = [];
  private readonly open = new Map<string, number>();
  private readonly looks = new Map<string, Look>();
  private readonly phases: At<{ phase: Phase; attempt: number }>[] = [];
  private readonly metrics: At<MetricEvent>[] = [];
  private readonly calls: At<ModelCallEvent>[] = [];
  private readonly notices: At<NoticeEvent>[] = [];
  private response = "";
  private queue: QueueEvent | null = null;
  private completed = false;

  /** Take the events that came. */
  add(events: readonly Event[]): void {
    for (const event of events) this.addOne(event);
  }

  /** What they told, as a value that can be compared by identity. */
  told(): Told {
    return {
      lines: this.lines,
      lineCount: this.lines.length,
      response: this.response,
      phases: this.phases.slice(),
      queue: this.queue,
      metrics: this.metrics.slice(),
      calls: this.calls.slice(),
      notices: this.notices.slice(),
      completed: this.completed,
    };
  }

  private addOne(event: Event): void {
    const { data, number } = event;
    const at = Date.parse(event.at);
    switch (data.kind) {
      case "log":
        this.addLog(data.stream, data.text, number);
        break;
      case "phase":
        this.addPhase({ at, number, data: { phase: data.phase, attempt: data.attempt } });
        break;
      case "response":
        this.response += data.text;
        break;
      case "queue":
        this.queue = data;
        break;
      case "metric":
        this.metrics.push({ at, number, data });
        break;
      case "model_call":
        this.calls.push({ at, number, data });
        break;
      case "notice":
        this.notices.push({ at, number, data });
        break;
    }
  }

  private addPhase(entered: At<{ phase: Phase; attempt: number }>): void {
    this.phases.push(entered);
    this.completed = entered.data.phase === "completed";
    // A test that is tried again answers again.
    if (entered.data.phase === "queued" || entered.data.phase === "running") this.response = "";
  }

  /** Text may begin and end in the middle of a line, streams may alternate within one. */
  private addLog(stream: Line["stream"], text: string, event: number): void {
    const parts = text.split("\n");
    parts.forEach((part, index) => {
      const last = index === parts.length - 1;
      if (last && part === "") return;
      this.addPart(stream, part.endsWith("\r") && !last ? part.slice(0, -1) : part, event);
      if (!last) this.open.delete(stream);
    });
    if (text.endsWith("\n")) this.open.delete(stream);
  }

  private addPart(stream: Line["stream"], part: string, event: number): void {
    const begun = this.open.get(stream);
    const before = begun === undefined ? undefined : this.lines[begun];
    if (begun !== undefined && before !== undefined) {
      this.lines[begun] = { ...before, text: before.text + part };
      this.looks.set(stream, this.lookAfter(this.lines[begun]));
      return;
    }
    const line = { text: part, stream, event, look: this.looks.get(stream) ?? {} };
    this.open.set(stream, this.lines.push(line) - 1);
    this.looks.set(stream, this.lookAfter(line));
  }

  private lookAfter(line: Line): Look {
    return line.text.includes("\x1b[") ? pieces(line.text, line.look).end : line.look;
  }
}
