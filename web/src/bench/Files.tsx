import { Tabs } from "@mantine/core";
import type { FieldProblem } from "../api/schema";
import classes from "./Bench.module.css";
import { agentOf, changeDraft, type Draft } from "./draft";
import { Editor } from "./Editor";
import { FileMenu } from "./FileMenu";
import { fileOf, REQUIREMENTS } from "./problems";
import { TemplateMenu } from "./TemplateMenu";
import { useFileDrop } from "./useFileDrop";

interface FilesProps {
  draft: Draft;
  problems: readonly FieldProblem[];
  /** The tab that is open, as far as there is such a file. */
  chosen: string;
  onChoose: (name: string) => void;
  /** The problem whose line the editor is to show; another object is another wish. */
  target: FieldProblem | null;
  onRun: () => void;
}

/** The agent's files, one tab each, with what is wrong in them. */
export function Files({ draft, problems, chosen, onChoose, target, onRun }: FilesProps) {
  const agent = agentOf(draft);
  const names = [agent, REQUIREMENTS, ...others(draft)];
  const open = names.includes(chosen) ? chosen : agent;
  const here = (name: string) => problems.filter((problem) => fileOf(problem) === name);

  const drop = useFileDrop();

  return (
    <section className={`panel ${classes.files}`} aria-label="Files" {...drop.handlers}>
      {drop.over && <div className={classes.drop}>Drop files, a folder or a zip</div>}
      <Tabs
        value={open}
        onChange={(name) => onChoose(name ?? agent)}
        className={classes.document}
        style={{ display: "flex", flexDirection: "column" }}
      >
        <div className={classes.bar}>
          <div className={classes.tabs}>
            <Tabs.List className={classes.list}>
              {names.map((name) => (
                <Tabs.Tab key={name} value={name}>
                  {name}
                  {here(name).length > 0 && (
                    <span className={classes.dot} role="img" aria-label="has problems" />
                  )}
                </Tabs.Tab>
              ))}
            </Tabs.List>
          </div>
          <FileMenu draft={draft} open={open} onOpen={onChoose} />
          <TemplateMenu />
        </div>
        {names.map((name) => (
          <Tabs.Panel key={name} value={name} className={classes.document} keepMounted={false}>
            <Editor
              name={name}
              value={textOf(draft, name)}
              onChange={(text) => changeDraft(withText(draft, name, text))}
              problems={here(name)}
              target={target !== null && fileOf(target) === name ? target : null}
              onRun={onRun}
            />
          </Tabs.Panel>
        ))}
      </Tabs>
      <Problems problems={here(open)} />
    </section>
  );
}

function Problems({ problems }: { problems: readonly FieldProblem[] }) {
  if (problems.length === 0) return null;
  return (
    <ul className={classes.problems} aria-label="Problems in this file">
      {problems.map((problem) => (
        <li key={`${problem.line}:${problem.message}`} className="foreign">
          {problem.line ? `Line ${problem.line}: ` : ""}
          {problem.message}
        </li>
      ))}
    </ul>
  );
}

function others(draft: Draft): string[] {
  return Object.keys(draft.files)
    .filter((name) => name !== agentOf(draft))
    .sort();
}

function textOf(draft: Draft, name: string): string {
  return name === REQUIREMENTS ? draft.requirements : (draft.files[name] ?? "");
}

function withText(draft: Draft, name: string, text: string): Partial<Draft> {
  if (name === REQUIREMENTS) return { requirements: text };
  return { files: { ...draft.files, [name]: text } };
}
