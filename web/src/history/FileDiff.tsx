import { pythonLanguage } from "@codemirror/lang-python";
import { syntaxHighlighting } from "@codemirror/language";
import { MergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, highlightSpecialChars, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { code, look } from "../bench/editorLook";
import classes from "./Compare.module.css";

/** One file before and after, with what changed marked. */
export function FileDiff({ name, before, after }: { name: string; before: string; after: string }) {
  const place = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (place.current === null) return;
    const side = (doc: string, label: string) => ({
      doc,
      extensions: [
        lineNumbers(),
        highlightSpecialChars(),
        EditorState.readOnly.of(true),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": `${name}, ${label}` }),
        name.endsWith(".py") ? pythonLanguage : [],
        syntaxHighlighting(code),
        look,
      ],
    });
    const view = new MergeView({
      a: side(before, "left"),
      b: side(after, "right"),
      parent: place.current,
      collapseUnchanged: { margin: 3, minSize: 6 },
    });
    return () => view.destroy();
  }, [name, before, after]);

  return (
    <div className={classes.diff}>
      <h3 className={`foreign ${classes.name}`}>{name}</h3>
      <div ref={place} />
    </div>
  );
}
