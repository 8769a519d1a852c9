import { useCallback, useEffect, useRef, useState } from "react";
import type { FieldProblem } from "../api/schema";
import { fileOf, idOf } from "./problems";
import { REFUSAL } from "./Refusal";

/**
 * Where the bench is: the open file, and the problem that it shows. A refusal (another object each
 * time) leads to the first of its problems.
 */
export function useGoing(refusal: unknown, problems: readonly FieldProblem[]) {
  const [file, setFile] = useState("agent.py");
  const [target, setTarget] = useState<FieldProblem | null>(null);
  const first = useRef(problems[0]);
  first.current = problems[0];

  const open = useCallback((name: string) => {
    setFile(name);
    setTarget(null);
  }, []);

  const go = useCallback((problem: FieldProblem) => {
    const name = problem.field === "entry_point" ? "" : fileOf(problem);
    if (name === "") {
      focusOn(idOf(problem.field));
      return;
    }
    setFile(name);
    setTarget({ ...problem });
  }, []);

  useEffect(() => {
    if (refusal !== null && first.current !== undefined) go(first.current);
  }, [refusal, go]);

  return { file, open, target, go };
}

/** Focus the input of a field, else the list of what is wrong. */
function focusOn(id: string): void {
  (document.getElementById(id) ?? document.getElementById(REFUSAL))?.focus();
}
