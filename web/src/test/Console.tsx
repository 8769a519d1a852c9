import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, useState } from "react";
import { Panel } from "../shared/Panel";
import classes from "./Console.module.css";
import { ConsoleLine } from "./ConsoleLine";
import { ConsoleTools } from "./ConsoleTools";
import type { Emptiness, Told } from "./journal";
import { useFollowing } from "./useFollowing";
import { useSearch } from "./useSearch";

interface ConsoleProps {
  testId: string;
  told: Told;
  empty: Emptiness;
  /** The line that shall be looked at; each object is a wish of its own. */
  target: { line: number } | null;
}

const LINE = 20;
const NOTHING: Record<Emptiness, string> = {
  come: "Nothing was written yet.",
  read: "The output is being read.",
  nothing: "Nothing was written.",
};

/** What the build and the agent wrote, live. Only the lines in sight are laid out. */
export function Console({ testId, told, empty, target }: ConsoleProps) {
  const place = useRef<HTMLDivElement>(null);
  const [follow, setFollow] = useState(true);
  const [wrap, setWrap] = useState(true);
  const search = useSearch(told);
  const [marked, setMarked] = useState<number | null>(null);
  const rows = useVirtualizer({
    count: told.lineCount,
    getScrollElement: () => place.current,
    estimateSize: () => LINE,
    overscan: 20,
  });

  const look = useCallback(
    (index: number) => {
      setFollow(false);
      setMarked(index);
      rows.scrollToIndex(index, { align: "center" });
    },
    [rows],
  );

  useEffect(() => {
    if (follow && told.lineCount > 0) rows.scrollToIndex(told.lineCount - 1, { align: "end" });
  }, [follow, told, rows]);

  useEffect(() => {
    if (search.at !== null) look(search.at);
  }, [search.at, look]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new wish moves the console
  useEffect(() => {
    if (target === null) return;
    look(target.line);
    place.current?.scrollIntoView({ block: "nearest" });
  }, [target]);

  const scrolling = useFollowing(place, setFollow);

  return (
    <Panel
      title="Console"
      flush
      tools={
        <ConsoleTools
          {...{ testId, told, search, wrap, follow }}
          onWrap={setWrap}
          onFollow={setFollow}
        />
      }
    >
      <section
        ref={place}
        className={classes.console}
        {...scrolling}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys
        tabIndex={0}
        aria-label="Output"
        data-wrap={wrap}
      >
        {told.lineCount === 0 && <p className={classes.empty}>{NOTHING[empty]}</p>}
        <div className={classes.all} style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((row) => {
            const line = told.lines[row.index];
            return (
              line && (
                <ConsoleLine
                  key={row.key}
                  ref={rows.measureElement}
                  index={row.index}
                  start={row.start}
                  line={line}
                  query={search.query}
                  marked={row.index === marked}
                />
              )
            );
          })}
        </div>
      </section>
    </Panel>
  );
}
