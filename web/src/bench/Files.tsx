import { Tabs } from "@mantine/core";
import { useState } from "react";
import type { FieldProblem } from "../api/schema";
import classes from "./Bench.module.css";
import { changeDraft, type Draft } from "./draft";
import { Editor } from "./Editor";
import { FileMenu } from "./FileMenu";
import { TemplateMenu } from "./TemplateMenu";
import { useFileDrop } from "./useFileDrop";

/** The tab of the requirements, which are a field of their own. */
const REQUIREMENTS = "requirements.txt";

interface FilesProps {
  draft: Draft;
  problems: readonly FieldProblem[];
  onRun: () => void;
}

/** The agent's files, one tab each, with what is wrong in them. */
export function Files({ draft, problems, onRun }: FilesProps) {
  const [chosen, setChosen] = useState("agent.py");
  const names = ["agent.py", REQUIREMENTS, ...others(draft)];
  const open = names.includes(chosen) ? chosen : "agent.py";
  const here = (name: string) => problems.filter((problem) => fileOf(problem) === name);

  const drop = useFileDrop();

  return (
    <section className={`panel ${classes.files}`} aria-label="Files" {...drop.handlers}>
      {drop.over && <div className={classes.drop}>Drop files or a zip</div>}
      <Tabs
        value={open}
        onChange={(name) => setChosen(name ?? "agent.py")}
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
          <FileMenu draft={draft} open={open} onOpen={setChosen} />
          <TemplateMenu />
        </div>
        {names.map((name) => (
          <Tabs.Panel key={name} value={name} className={classes.document} keepMounted={false}>
            <Editor
              name={name}
              value={textOf(draft, name)}
              onChange={(text) => changeDraft(withText(draft, name, text))}
              problems={here(name)}
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
    .filter((name) => name !== "agent.py")
    .sort();
}

function fileOf(problem: FieldProblem): string {
  return problem.field === "requirements" ? REQUIREMENTS : (problem.file ?? "");
}

function textOf(draft: Draft, name: string): string {
  return name === REQUIREMENTS ? draft.requirements : (draft.files[name] ?? "");
}

function withText(draft: Draft, name: string, text: string): Partial<Draft> {
  if (name === REQUIREMENTS) return { requirements: text };
  return { files: { ...draft.files, [name]: text } };
}
