import { learnClock } from "../api/clock";
import type { Door } from "../api/door";
import { followJournal, persistently } from "../api/follow";
import { type ApiProblem, inWords, problemOf } from "../api/problem";
import type { Event, Test } from "../api/schema";
import { changesTest, Journal, type Told } from "../test/journal";

/** How a test stands, as far as it is known. */
export interface Seen {
  test: Test | null;
  told: Told;
  /** The server cannot be reached right now; it is tried again. */
  away: boolean;
  /** What ended the watching before the test's end. */
  problem: Problem | null;
}

/** A problem in words; `code` is the server's own. */
export interface Problem {
  code: string;
  message: string;
  hint: string;
}

/** Watches one test through one door. What was read once is kept when it goes on. */
export class Watch {
  private readonly journal = new Journal();
  private test: Test | null = null;
  private last = 0;
  private away = false;
  private problem: Problem | null = null;
  private turn = 0;
  private stopping = new AbortController();

  constructor(
    private readonly door: Door,
    private readonly id: string,
    private readonly onChange: (seen: Seen) => void,
  ) {}

  /** Begin, or go on behind the last event that came. */
  go(): void {
    this.stop();
    this.stopping = new AbortController();
    this.problem = null;
    const { signal } = this.stopping;
    this.guarded(signal, this.read(signal));
    this.guarded(
      signal,
      followJournal(
        this.door,
        this.id,
        {
          onEvents: (events) => this.take(events, signal),
          onState: (state) => this.changeState(state === "away"),
        },
        signal,
        this.last,
      ),
    );
    this.tell();
  }

  /** Read no further. */
  stop(): void {
    this.stopping.abort();
  }

  private take(events: Event[], signal: AbortSignal): void {
    this.journal.add(events);
    this.last = events.at(-1)?.number ?? this.last;
    if (events.some(changesTest)) this.guarded(signal, this.read(signal));
    this.tell();
  }

  private changeState(away: boolean): void {
    if (away === this.away) return;
    this.away = away;
    this.tell();
  }

  /** The newest reading counts: an older one that comes late tells of the past. */
  private async read(signal: AbortSignal): Promise<void> {
    this.turn += 1;
    const { turn } = this;
    const test = await persistently(() => readTest(this.door, this.id, signal), signal);
    if (test === undefined || turn !== this.turn) return;
    this.test = test;
    this.away = false;
    this.tell();
  }

  private guarded(signal: AbortSignal, work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (signal.aborted) return;
      this.stop();
      this.away = false;
      this.problem = { code: codeOf(error), ...inWords(error) };
      this.tell();
    });
  }

  private tell(): void {
    const { test, away, problem } = this;
    this.onChange({ test, told: this.journal.told(), away, problem });
  }
}

async function readTest(door: Door, id: string, signal: AbortSignal): Promise<Test> {
  const address = `${door.base}/api/v1/tests/${encodeURIComponent(id)}`;
  const answer = await fetch(address, { headers: door.headers(), signal });
  learnClock(answer);
  if (!answer.ok) throw await problemOf(answer);
  return (await answer.json()) as Test;
}

function codeOf(error: unknown): string {
  return (error as Partial<ApiProblem>).problem?.code ?? "";
}
