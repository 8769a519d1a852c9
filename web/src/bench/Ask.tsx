import { Button, Kbd, Textarea } from "@mantine/core";
import { Play } from "lucide-react";
import type { FieldProblem } from "../api/schema";
import { Trouble } from "../shared/Trouble";
import classes from "./Bench.module.css";
import { changeDraft, type Draft } from "./draft";
import { ModelPicker } from "./ModelPicker";
import { OptionsDoor } from "./OptionsDoor";
import { idOf } from "./problems";
import { Refusal } from "./Refusal";
import { problemOfField } from "./useChecks";

interface AskProps {
  draft: Draft;
  problems: readonly FieldProblem[];
  running: boolean;
  /** Why the last run did not start, other than for problems of its fields. */
  error: unknown;
  /** The problems to list at the button. */
  refused: readonly FieldProblem[];
  onGo: (problem: FieldProblem) => void;
  onRun: () => void;
}

/** What is asked of the agent, of which model, within which limits; and Run. */
export function Ask({ draft, problems, running, error, refused, onGo, onRun }: AskProps) {
  // An empty query becomes an error when Run is pressed, not before the user has typed.
  const missing = draft.query === "" && !refused.some(({ field }) => field === "query");
  return (
    <section className={`panel ${classes.ask}`} aria-label="Test">
      <Textarea
        id={idOf("query")}
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
        error={missing ? null : problemOfField(problems, "query")}
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
      <Refusal problems={refused} onGo={onGo} />
      {error !== null && <Trouble error={error} title="The test did not start" />}
      <OptionsDoor draft={draft} problems={problems} />
    </section>
  );
}
