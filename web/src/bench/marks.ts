import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { type EditorState, StateEffect } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import type { FieldProblem } from "../api/schema";

const withGutter = new WeakSet<EditorView>();

/** Mark what is wrong in the text of an editor; nothing when nothing is. */
export function mark(view: EditorView, problems: readonly FieldProblem[]): void {
  if (!withGutter.has(view)) {
    withGutter.add(view);
    view.dispatch({ effects: StateEffect.appendConfig.of(lintGutter()) });
  }
  view.dispatch(setDiagnostics(view.state, diagnostics(view.state, problems)));
}

/** Put the cursor where the problem is, in view. */
export function goTo(view: EditorView, problem: FieldProblem): void {
  const { from } = placeOf(view.state, problem);
  view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
  view.focus();
}

/** The problems as marks under the text that they are about. */
function diagnostics(state: EditorState, problems: readonly FieldProblem[]): Diagnostic[] {
  return problems.map((problem) => ({
    ...placeOf(state, problem),
    severity: "error",
    message: problem.message,
  }));
}

function placeOf(state: EditorState, { line, column }: FieldProblem): { from: number; to: number } {
  const at = state.doc.line(Math.min(Math.max(line ?? 1, 1), state.doc.lines));
  const from = Math.min(at.from + Math.max((column ?? 1) - 1, 0), at.to);
  return { from: column ? from : at.from, to: at.to };
}
