import { Alert, Anchor, List } from "@mantine/core";
import { CircleAlert } from "lucide-react";
import type { FieldProblem } from "../api/schema";
import { visible } from "../shared/ansi";

export const REFUSAL = "refusal";

interface RefusalProps {
  problems: readonly FieldProblem[];
  onGo: (problem: FieldProblem) => void;
}

/** What keeps the test from running; each problem leads to where it is fixed. */
export function Refusal({ problems, onGo }: RefusalProps) {
  if (problems.length === 0) return null;
  return (
    <Alert
      id={REFUSAL}
      tabIndex={-1}
      color="red"
      variant="light"
      role="alert"
      icon={<CircleAlert />}
      title="The test cannot run yet"
    >
      <List size="sm" listStyleType="none">
        {problems.map((problem) => (
          <List.Item key={`${problem.field}:${problem.file}:${problem.line}:${problem.message}`}>
            <Anchor
              component="button"
              type="button"
              size="sm"
              ta="left"
              className="foreign"
              onClick={() => onGo(problem)}
            >
              {visible(problem.message)}
            </Anchor>
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
