import { Group, ScrollArea, SegmentedControl, Text } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import type { Test } from "../api/schema";
import { visible } from "../shared/ansi";
import { CopyText } from "../shared/CopyText";
import { Panel } from "../shared/Panel";
import type { Told } from "./journal";
import classes from "./Response.module.css";

const Markdown = lazy(() => import("./Markdown"));

/** Longer answers are shown as plain text: laying them out would stop the page. */
const MOST_RENDERED = 200_000;

/** What the agent answers, while it does. */
export function Response({ test, told }: { test: Test; told: Told }) {
  const [mode, setMode] = useState("rendered");
  const whole = test.result?.response;
  const text = whole || told.response;
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
      <ScrollArea.Autosize mah={480} className={classes.place}>
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

function nothing(test: Test): string {
  if (test.phase !== "completed") return "The answer appears here as it comes.";
  return "There is no answer.";
}
