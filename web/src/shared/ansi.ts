/**
 * Foreign text made harmless to look at: colours are kept, everything else that would act on a
 * terminal or fool the eye (other escapes, control, bidirectional and invisible characters) is
 * written out, the same way the command line does.
 */

/** How a piece of text looks. Colours are numbers of the sixteen classic ones. */
export interface Look {
  color?: number | undefined;
  bold?: boolean | undefined;
  dim?: boolean | undefined;
  italic?: boolean | undefined;
  underline?: boolean | undefined;
}

/** A piece of a line. `control` marks what was written out. */
export interface Piece {
  text: string;
  look: Look;
  control: boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is looked for
const COLOURS = /\x1b\[([0-9;]{0,60})m/g;
const ACTING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
// The tab, and joiners that only choose between shapes of letters.
const HARMLESS = new Set(["\t", "\u200c", "\u200d"]);

/** The pieces of one line, and how the text after it looks. */
export function pieces(line: string, start: Look = {}): { pieces: Piece[]; end: Look } {
  const found: Piece[] = [];
  let look = start;
  let from = 0;
  for (const sequence of line.matchAll(COLOURS)) {
    addVisible(found, line.slice(from, sequence.index), look);
    look = changed(look, sequence[1] ?? "");
    from = sequence.index + sequence[0].length;
  }
  addVisible(found, line.slice(from), look);
  return { pieces: found, end: look };
}

/** The line without its colours, everything else that acts written out. */
export function plain(line: string): string {
  return pieces(line)
    .pieces.map((piece) => piece.text)
    .join("");
}

/** A text of many lines with everything that acts written out, line ends excepted. */
export function visible(text: string): string {
  if (!ACTING.test(text)) return text;
  return Array.from(text, (char) => (char === "\n" ? char : written(char))).join("");
}

function addVisible(found: Piece[], text: string, look: Look): void {
  if (text === "") return;
  if (!ACTING.test(text)) {
    found.push({ text, look, control: false });
    return;
  }
  let run = "";
  let control = false;
  for (const char of text) {
    const shown = written(char);
    if ((shown !== char) !== control) {
      if (run) found.push({ text: run, look, control });
      run = "";
      control = shown !== char;
    }
    run += shown;
  }
  if (run) found.push({ text: run, look, control });
}

function written(char: string): string {
  if (HARMLESS.has(char) || !ACTING.test(char)) return char;
  const code = (char.codePointAt(0) ?? 0).toString(16);
  if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}

function changed(look: Look, codes: string): Look {
  const numbers = codes.split(";").map(Number);
  let next = { ...look };
  for (let at = 0; at < numbers.length; at++) {
    const code = numbers[at] ?? 0;
    if (code === 38 || code === 48) {
      const used = extended(numbers, at);
      if (code === 38) next.color = used.color;
      at += used.length;
    } else {
      next = simple(next, code);
    }
  }
  return next;
}

function simple(look: Look, code: number): Look {
  if (code === 0) return {};
  if (code >= 30 && code <= 37) return { ...look, color: code - 30 };
  if (code >= 90 && code <= 97) return { ...look, color: code - 82 };
  switch (code) {
    case 1:
      return { ...look, bold: true };
    case 2:
      return { ...look, dim: true };
    case 3:
      return { ...look, italic: true };
    case 4:
      return { ...look, underline: true };
    case 22:
      return { ...look, bold: false, dim: false };
    case 23:
      return { ...look, italic: false };
    case 24:
      return { ...look, underline: false };
    case 39:
      return { ...look, color: undefined };
    default:
      return look;
  }
}

/** A colour of 256 or 16 million, as the nearest of sixteen: those can be read on our ground. */
function extended(numbers: number[], at: number): { color: number | undefined; length: number } {
  if (numbers[at + 1] === 5) return { color: of256(numbers[at + 2] ?? 0), length: 2 };
  if (numbers[at + 1] !== 2) return { color: undefined, length: 0 };
  const [red = 0, green = 0, blue = 0] = numbers.slice(at + 2, at + 5);
  return { color: nearest(red, green, blue), length: 4 };
}

function of256(number: number): number {
  if (number < 16) return number;
  if (number >= 232) return number < 244 ? 8 : 7;
  const index = number - 16;
  const part = (value: number) => (value % 6) * 51;
  return nearest(part(Math.floor(index / 36)), part(Math.floor(index / 6)), part(index));
}

function nearest(red: number, green: number, blue: number): number {
  const highest = Math.max(red, green, blue);
  if (highest < 48) return 0;
  const bit = (value: number, weight: number) => (value > highest / 2 ? weight : 0);
  return bit(red, 1) + bit(green, 2) + bit(blue, 4) + (highest > 190 ? 8 : 0);
}
