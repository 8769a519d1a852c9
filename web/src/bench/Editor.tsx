import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import {
  bracketMatching,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { useEffect, useRef } from "react";
import type { FieldProblem } from "../api/schema";
import classes from "./Editor.module.css";
import { code, look } from "./editorLook";

interface EditorProps {
  /** Which text this is: another name is another document with a history of its own. */
  name: string;
  value: string;
  onChange: (value: string) => void;
  problems: readonly FieldProblem[];
  onRun: () => void;
}

const BASIC: Extension = [
  lineNumbers(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  highlightSpecialChars(),
  highlightSelectionMatches(),
  history(),
  drawSelection(),
  indentOnInput(),
  bracketMatching(),
  indentUnit.of("    "),
  EditorState.tabSize.of(4),
  lintGutter(),
  syntaxHighlighting(code),
  look,
];

/** Where code is written. Escape, then Tab leaves it by the keyboard. */
export function Editor({ name, value, onChange, problems, onRun }: EditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const handlers = useRef({ onChange, onRun });
  handlers.current = { onChange, onRun };
  const initial = useRef(value);
  initial.current = value;

  useEffect(() => {
    if (place.current === null) return;
    const run = () => {
      handlers.current.onRun();
      return true;
    };
    const made = new EditorView({
      parent: place.current,
      doc: initial.current,
      extensions: [
        keymap.of([
          { key: "Mod-Enter", run },
          indentWithTab,
          ...defaultKeymap,
          ...historyKeymap,
          ...searchKeymap,
        ]),
        BASIC,
        name.endsWith(".py") ? python() : [],
        EditorView.contentAttributes.of({ "aria-label": name, spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) handlers.current.onChange(update.state.doc.toString());
        }),
      ],
    });
    view.current = made;
    return () => made.destroy();
  }, [name]);

  useEffect(() => {
    const { current } = view;
    const text = current?.state.doc.toString();
    if (current && text !== undefined && text !== value)
      current.dispatch({ changes: { from: 0, to: text.length, insert: value } });
  }, [value]);

  useEffect(() => {
    const { current } = view;
    if (current) current.dispatch(setDiagnostics(current.state, marks(current.state, problems)));
  }, [problems]);

  return <div ref={place} className={classes.editor} />;
}

/** The problems as marks under the text that they are about. */
function marks(state: EditorState, problems: readonly FieldProblem[]): Diagnostic[] {
  return problems.map(({ line, column, message }) => {
    const at = state.doc.line(Math.min(Math.max(line ?? 1, 1), state.doc.lines));
    const from = Math.min(at.from + Math.max((column ?? 1) - 1, 0), at.to);
    return { from: column ? from : at.from, to: at.to, severity: "error", message };
  });
}
