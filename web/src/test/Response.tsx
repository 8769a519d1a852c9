import { Group, ScrollArea, SegmentedControl, Text } from "@mantine/core";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import type { Test } from "../api/schema";
import { visible } from "../shared/ansi";
import { CopyText } from "../shared/CopyText";
import { Panel } from "../shared/Panel";
import type { Told } from "./journal";
import classes from "./Response.module.css";

const Markdown = lazy(() => import("./Markdown"));

/** Longer answers are shown as plain text: laying them out would stop the page. */
const MOST_RENDERED = 200_000;

const LIVE_HEIGHT = 220;
const MOST_HEIGHT = 480;
const AT_THE_END = 30;

/** What the agent answers, while it does. */
export function Response({ test, told }: { test: Test; told: Told }) {
  const [mode, setMode] = useState("rendered");
  const whole = test.result?.response;
  const text = whole || told.response;
  const live = test.phase !== "completed";
  const { place, scrolling } = useNewest(text, live);
  // What is below must not move while an answer grows; once it is over it has its own height.
  const sizes = live ? { mah: LIVE_HEIGHT, mih: LIVE_HEIGHT } : { mah: MOST_HEIGHT };
  const rendered = mode === "rendered" && text.length <= MOST_RENDERED;
  return (
    <Panel
      title="Response"
      tools={
        text && (
          <Group gap="xs">
            <SegmentedControl
              size="xs"
              data={[
                { value: "rendered", label: "Rendered" },
                { value: "text", label: "Text" },
              ]}
              value={mode}
              onChange={setMode}
              aria-label="How the response is shown"
            />
            <CopyText text={text} label="Copy the response" />
          </Group>
        )
      }
    >
      <ScrollArea.Autosize {...sizes} viewportRef={place} className={classes.place} {...scrolling}>
        {text === "" && <Text className="quiet">{nothing(test)}</Text>}
        {text !== "" && rendered && (
          <Suspense fallback={<pre className={classes.text}>{visible(text)}</pre>}>
            <Markdown text={visible(text)} />
          </Suspense>
        )}
        {text !== "" && !rendered && <pre className={classes.text}>{visible(text)}</pre>}
      </ScrollArea.Autosize>
    </Panel>
  );
}

/** Keeps the end of a growing text in sight, unless somebody scrolled away from it. */
function useNewest(text: string, live: boolean) {
  const place = useRef<HTMLDivElement>(null);
  const away = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was added has to be seen
  useEffect(() => {
    if (live && !away.current) place.current?.scrollTo({ top: place.current.scrollHeight });
  }, [text, live]);
  const onScrollPositionChange = ({ y }: { y: number }) => {
    const { current } = place;
    if (current) away.current = current.scrollHeight - current.clientHeight - y > AT_THE_END;
  };
  return { place, scrolling: { onScrollPositionChange } };
}

function nothing(test: Test): string {
  if (test.phase !== "completed") return "The answer appears here as it comes.";
  return "There is no answer.";
}
