import { Button, Kbd, Textarea } from "@mantine/core";
import { Play } from "lucide-react";
import { ApiProblem } from "../api/problem";
import type { FieldProblem } from "../api/schema";
import { Trouble } from "../shared/Trouble";
import classes from "./Bench.module.css";
import { changeDraft, type Draft } from "./draft";
import { ModelPicker } from "./ModelPicker";
import { OptionsDoor } from "./OptionsDoor";
import { problemOfField } from "./useChecks";

interface AskProps {
  draft: Draft;
  problems: readonly FieldProblem[];
  running: boolean;
  error: unknown;
  onRun: () => void;
}

/** What is asked of the agent, of which model, within which limits; and Run. */
export function Ask({ draft, problems, running, error, onRun }: AskProps) {
  // Problems of fields are shown at the fields, where they also are while typing.
  const shown = error instanceof ApiProblem && error.status === 422 && problems.length > 0;
  return (
    <section className={`panel ${classes.ask}`} aria-label="Test">
      <Textarea
        label="Query"
        description="What the agent is asked"
        placeholder="Name the capital of France."
        autosize
        minRows={3}
        maxRows={12}
        value={draft.query}
        onChange={(event) => changeDraft({ query: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) onRun();
        }}
        error={draft.query === "" ? null : problemOfField(problems, "query")}
      />
      <ModelPicker draft={draft} problem={problemOfField(problems, "model")} />
      <Button
        size="md"
        leftSection={<Play size={17} aria-hidden />}
        rightSection={<Kbd size="xs">Ctrl ↵</Kbd>}
        loading={running}
        onClick={onRun}
      >
        Run
      </Button>
      {error !== null && !shown && <Trouble error={error} title="The test was not started" />}
      <OptionsDoor draft={draft} problems={problems} />
    </section>
  );
}
