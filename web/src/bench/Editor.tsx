import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import {
  bracketMatching,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  type KeyBinding,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { useEffect, useRef } from "react";
import type { FieldProblem } from "../api/schema";
import classes from "./Editor.module.css";
import { code, look } from "./editorLook";

/** Searching within the text; its code comes when it is first wanted. */
const searching: readonly KeyBinding[] = ["Mod-f", "Mod-h"].map((key) => ({
  key,
  preventDefault: true,
  run: (view) => {
    void import("@codemirror/search").then(({ openSearchPanel }) => openSearchPanel(view));
    return true;
  },
}));

interface EditorProps {
  /** Which text this is: another name is another document with a history of its own. */
  name: string;
  value: string;
  onChange: (value: string) => void;
  problems: readonly FieldProblem[];
  /** The problem to go to, if any; another object is another wish. */
  target: FieldProblem | null;
  onRun: () => void;
}

const BASIC: Extension = [
  lineNumbers(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  highlightSpecialChars(),
  history(),
  drawSelection(),
  indentOnInput(),
  bracketMatching(),
  indentUnit.of("    "),
  EditorState.tabSize.of(4),
  syntaxHighlighting(code),
  look,
];

/** Where code is written. Escape, then Tab leaves it by the keyboard. */
export function Editor({ name, value, onChange, problems, target, onRun }: EditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const marked = useRef(false);
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
          ...searching,
        ]),
        BASIC,
        name.endsWith(".py") ? pythonLanguage : [],
        EditorView.contentAttributes.of({
          "aria-label": name,
          "aria-description": "Escape, then Tab leaves the editor",
          spellcheck: "false",
        }),
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
    if (current === null || (problems.length === 0 && !marked.current)) return;
    marked.current = true;
    void import("./marks").then(({ mark }) => view.current === current && mark(current, problems));
  }, [problems]);

  useEffect(() => {
    const { current } = view;
    if (current === null || target === null) return;
    void import("./marks").then(({ goTo }) => view.current === current && goTo(current, target));
  }, [target]);

  return <div ref={place} className={classes.editor} />;
}
