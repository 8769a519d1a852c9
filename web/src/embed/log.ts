import { plain } from "../shared/ansi";
import { type Line, LONGEST_LINE } from "../test/journal";
import { el } from "./dom";

const MOST_LINES = 1000;
const AT_THE_END = 8;

/** The newest lines that were written, as text; it follows them until somebody scrolls up. */
export class Log {
  readonly element = el("div", {
    class: "log",
    role: "log",
    "aria-label": "Output",
    tabindex: "0",
  });
  private rows: { line: Line; row: HTMLElement }[] = [];
  /** The number of the first line that has a row. */
  private first = 0;

  /** Forget what was shown. */
  clear(): void {
    this.rows = [];
    this.first = 0;
    this.element.replaceChildren();
  }

  /** Show these lines: rows of lines that did not change stay as they are. */
  show(lines: readonly Line[]): void {
    const { element } = this;
    const follow = element.scrollHeight - element.scrollTop - element.clientHeight < AT_THE_END;
    const from = Math.max(0, lines.length - MOST_LINES);
    for (const { row } of this.rows.splice(0, from - this.first)) row.remove();
    this.first = from;
    lines.slice(from).forEach((line, index) => {
      this.put(line, index);
    });
    if (follow) element.scrollTop = element.scrollHeight;
  }

  private put(line: Line, index: number): void {
    const shown = this.rows[index];
    if (shown?.line === line) return;
    const row = shown?.row ?? el("div");
    row.dataset.stream = line.stream;
    row.textContent = textOf(line);
    if (shown === undefined) this.element.append(row);
    this.rows[index] = { line, row };
  }
}

function textOf({ text }: Line): string {
  const left = text.length - LONGEST_LINE;
  if (left <= 0) return plain(text);
  return `${plain(text.slice(0, LONGEST_LINE))} … ${left.toLocaleString()} more characters`;
}
