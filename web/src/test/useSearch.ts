import { useDebouncedValue } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { plain } from "../shared/ansi";
import type { Told } from "./journal";

/** A search in the console. `at` is the line that is looked at, `place` its rank among `found`. */
export interface LineSearch {
  text: string;
  setText: (text: string) => void;
  /** What is searched for, in lower case; empty for nothing. */
  query: string;
  found: number;
  place: number;
  at: number | null;
  go: (step: 1 | -1) => void;
}

/** Search the lines as they are shown, without regard to case. */
export function useSearch(told: Told): LineSearch {
  const [text, setText] = useState("");
  const [rank, setRank] = useState<{ of: string; at: number } | null>(null);
  const [settled] = useDebouncedValue(text, 150);
  const query = text === "" ? "" : settled.toLowerCase();
  const matches = useMemo(() => (query === "" ? [] : matching(told, query)), [told, query]);
  const at = rank?.of === query ? rank.at : 0;
  const place = matches.length === 0 ? 0 : (at % matches.length) + 1;

  return {
    text,
    setText,
    query,
    found: matches.length,
    place,
    at: matches[place - 1] ?? null,
    go: (step) => setRank({ of: query, at: (place - 1 + step + matches.length) % matches.length }),
  };
}

function matching(told: Told, query: string): number[] {
  const found: number[] = [];
  told.lines.forEach((line, index) => {
    if (plain(line.text).toLowerCase().includes(query)) found.push(index);
  });
  return found;
}
