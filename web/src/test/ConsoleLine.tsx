import type { CSSProperties, Ref } from "react";
import { type Look, type Piece, pieces } from "../shared/ansi";
import classes from "./Console.module.css";
import { type Line, LONGEST_LINE } from "./journal";

interface ConsoleLineProps {
  ref: Ref<HTMLDivElement>;
  index: number;
  start: number;
  line: Line;
  query: string;
  marked: boolean;
}

/** One line of the console: its number, and its text with its colours. */
export function ConsoleLine({ ref, index, start, line, query, marked }: ConsoleLineProps) {
  const left = line.text.length - LONGEST_LINE;
  const text = left > 0 ? line.text.slice(0, LONGEST_LINE) : line.text;
  return (
    <div
      ref={ref}
      className={classes.line}
      data-index={index}
      data-stream={line.stream}
      data-marked={marked || undefined}
      style={{ transform: `translateY(${start}px)` }}
    >
      <span className={classes.number} aria-hidden>
        {index + 1}
      </span>
      <bdi className={classes.text} dir="ltr">
        {pieces(text, line.look).pieces.map((piece, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line have no other name
          <PieceOf key={at} piece={piece} query={query} />
        ))}
        {left > 0 && (
          <span className={classes.control}>
            {" "}
            … {left.toLocaleString()} more characters, in the download
          </span>
        )}
      </bdi>
    </div>
  );
}

function PieceOf({ piece, query }: { piece: Piece; query: string }) {
  const className = piece.control ? classes.control : undefined;
  return (
    <span className={className} style={styleOf(piece.look)}>
      {query ? highlighted(piece.text, query) : piece.text}
    </span>
  );
}

function styleOf(look: Look): CSSProperties {
  const style: CSSProperties = {};
  if (look.color !== undefined) style.color = `var(--ansi-${look.color})`;
  if (look.bold) style.fontWeight = 700;
  if (look.italic) style.fontStyle = "italic";
  if (look.underline) style.textDecoration = "underline";
  if (look.dim && look.color === undefined) style.color = "var(--quiet)";
  return style;
}

/** The text with what is searched for marked. */
function highlighted(text: string, query: string) {
  const small = text.toLowerCase();
  const parts = [];
  let from = 0;
  for (let at = small.indexOf(query); at >= 0; at = small.indexOf(query, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + query.length)}</mark>);
    from = at + query.length;
  }
  parts.push(text.slice(from));
  return parts;
}
