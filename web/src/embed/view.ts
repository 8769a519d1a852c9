import { serverNow } from "../api/clock";
import type { Failure, Test } from "../api/schema";
import { visible } from "../shared/ansi";
import { count, duration, size } from "../shared/words";
import type { Told } from "../test/journal";
import { runningSeconds, type Step, stepsOf } from "../test/steps";
import { summary, waiting, wordOf } from "../test/stepWords";
import { WHOSE } from "../test/whose";
import { el, say } from "./dom";
import css from "./embed.css?inline";
import { Log } from "./log";
import { markdown } from "./markdown";
import type { Seen } from "./watch";

const AWAY =
  "The server cannot be reached, or does not let this page in. The test goes on; it is tried again.";
const SIGNS: Record<Step["state"], string> = {
  waiting: "○",
  active: "●",
  done: "✓",
  bad: "✕",
  left_out: "–",
};

/** What the element shows. Everything that a server or an agent says is put there as text. */
export class View {
  private readonly title = el("p", { class: "title" });
  private readonly away = el("p", { class: "away", role: "status" });
  private readonly problem = el("p", { class: "problem", role: "alert" });
  private readonly steps = el("ol", { class: "steps" });
  private readonly status = el("p", { class: "status", role: "status" });
  private readonly failure = el("section", { class: "failure", "aria-label": "Failure" });
  private readonly response = el("div", { class: "response", tabindex: "0" });
  private readonly log = new Log();
  private readonly facts = el("dl", { class: "facts" });
  /** The answer that is laid out. */
  private answer: string | null = null;
  private failed: Failure | null = null;
  private seen: Seen | null = null;

  constructor(root: ShadowRoot) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    const answer = el("section", { "aria-label": "Response" }, label("Response"), this.response);
    const output = el("section", { "aria-label": "Console" }, label("Output"), this.log.element);
    const used = el("section", { "aria-label": "Measurements" }, label("Used"), this.facts);
    const progress = el("section", { "aria-label": "Progress" }, this.steps, this.status);
    root.append(this.title, this.away, this.problem, progress, this.failure, answer, output, used);
    this.clear();
  }

  /** Nothing is known, for example of another test. */
  clear(): void {
    this.seen = null;
    this.failed = null;
    this.answer = null;
    this.log.clear();
    this.failure.hidden = true;
    for (const part of [this.title, this.away, this.problem, this.response]) say(part, "");
    this.steps.replaceChildren();
    this.facts.replaceChildren();
    say(this.status, "The test is being read.");
  }

  /** Show how it stands. */
  show(seen: Seen): void {
    this.seen = seen;
    const { test, told, away, problem } = seen;
    say(this.away, away ? AWAY : "");
    say(this.problem, problem ? visible(`${problem.message} ${problem.hint}`.trim()) : "");
    this.log.show(told.lines);
    if (test === null) {
      if (problem) say(this.status, "");
      return;
    }
    say(this.title, visible(test.name ?? test.request.query));
    this.showFailure(test.failure ?? null);
    this.showResponse(test.result?.response || told.response, nothing(test));
    this.showFacts(factsOf(test, told));
    this.tick();
  }

  /** Bring the times of the steps up to date. */
  tick(): void {
    if (!this.seen?.test || this.seen.problem) return;
    const { test, told } = this.seen;
    const steps = stepsOf(test, told, serverNow());
    steps.forEach((step, index) => {
      this.showStep(step, index, wordOf(step, test));
    });
    say(this.status, visible(statusOf(test, told, runningSeconds(steps))));
  }

  private showStep(step: Step, index: number, word: string): void {
    let item = this.steps.children[index];
    if (item === undefined) {
      const sign = el("span", { class: "sign", "aria-hidden": "true" });
      item = el("li", {}, sign, el("span", { class: "word" }), el("span", { class: "time" }));
      this.steps.append(item);
    }
    item.setAttribute("data-state", step.state);
    if (step.state === "active") item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
    const texts = [SIGNS[step.state], word, step.seconds === null ? "" : duration(step.seconds)];
    texts.forEach((text, at) => {
      const place = item.children[at];
      if (place) say(place, text);
    });
  }

  private showResponse(answer: string, otherwise: string): void {
    if (answer === "") say(this.response, otherwise);
    else if (answer !== this.answer) this.response.replaceChildren(...markdown(visible(answer)));
    this.answer = answer;
  }

  private showFailure(failure: Failure | null): void {
    if (failure?.code === this.failed?.code && failure?.message === this.failed?.message) return;
    this.failed = failure;
    this.failure.hidden = failure === null;
    this.failure.replaceChildren(...(failure === null ? [] : failureParts(failure)));
  }

  private showFacts(facts: readonly [string, string][]): void {
    facts.forEach(([name, value], index) => {
      const row =
        this.facts.children[index] ??
        this.facts.appendChild(el("div", {}, el("dt", {}, name), el("dd")));
      if (row.lastElementChild) say(row.lastElementChild, value);
    });
  }
}

function label(text: string): HTMLElement {
  return el("p", { class: "label" }, text);
}

function failureParts(failure: Failure): Node[] {
  const parts: Node[] = [
    el("p", { class: "whose" }, WHOSE[failure.whose], el("code", {}, visible(failure.code))),
    el("p", { class: "what" }, visible(failure.title)),
  ];
  if (failure.message !== failure.title) parts.push(el("p", {}, visible(failure.message)));
  if (failure.evidence)
    parts.push(el("pre", { class: "evidence", tabindex: "0" }, visible(failure.evidence)));
  parts.push(el("p", { class: "do" }, visible(failure.what_to_do)));
  return parts;
}

function statusOf(test: Test, told: Told, used: number | null): string {
  switch (test.phase) {
    case "queued":
      return waiting(test, told);
    case "building":
      return "The requirements are being installed.";
    case "running":
      return `The agent runs; it has ${duration(test.request.timeout_seconds)}.`;
    default:
      return summary(test, used);
  }
}

function nothing({ phase }: Test): string {
  return phase === "completed" ? "There is no answer." : "The answer appears here as it comes.";
}

function factsOf({ metrics, request }: Test, told: Told): [string, string][] {
  const newest = told.metrics.at(-1)?.data;
  const peak = metrics?.memory_peak_bytes ?? newest?.memory_peak_bytes;
  const cpu = metrics?.cpu_seconds ?? newest?.cpu_seconds;
  const sum = (field: "input_tokens" | "output_tokens") =>
    told.calls.reduce((total, { data }) => total + (data[field] ?? 0), 0).toLocaleString();
  const calls = `${count(told.calls.length, "call")}, ${sum("input_tokens")} tokens in, ${sum("output_tokens")} out`;
  const known = (value: number | null | undefined, words: (value: number) => string) =>
    typeof value === "number" ? words(value) : "–";
  return [
    ["Memory", `${known(peak, size)} at most, of ${size(request.limits.memory_mb * 2 ** 20)}`],
    ["CPU time", known(cpu, (value) => `${value.toFixed(2)} s`)],
    ["Processes", known(metrics?.processes_peak ?? newest?.processes, String)],
    ["Model", told.calls.length > 0 ? calls : "no call"],
  ];
}
