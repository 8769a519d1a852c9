import { Button, Collapse, Text } from "@mantine/core";
import { ChevronDown } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import type { FieldProblem } from "../api/schema";
import classes from "./Bench.module.css";
import { type Draft, fresh } from "./draft";

// Most tests leave them as they are, so the first view does without their code.
const Options = lazy(() => import("./Options"));

const OWN_PLACE = new Set(["query", "model", "files", "requirements"]);

/** Opens the options; by itself where one of them is wrong. */
export function OptionsDoor({
  draft,
  problems,
}: {
  draft: Draft;
  problems: readonly FieldProblem[];
}) {
  const [wanted, setWanted] = useState(false);
  const wrong = problems.some(({ field }) => !OWN_PLACE.has(field));
  const open = wanted || wrong;
  const set = changedOptions(draft);
  return (
    <div>
      <Button
        variant="subtle"
        color="gray"
        size="compact-sm"
        aria-expanded={open}
        rightSection={<ChevronDown size={14} className={open ? classes.turned : undefined} />}
        onClick={() => setWanted(!open)}
      >
        Options
      </Button>
      {!open && (
        <Text component="span" size="xs" className="quiet" ml={6}>
          {set.length > 0 ? set.join(", ") : "limits, hosts, variables, name"}
        </Text>
      )}
      <Collapse expanded={open}>
        {open && (
          <Suspense fallback={<Text size="sm">Loading …</Text>}>
            <Options draft={draft} problems={problems} />
          </Suspense>
        )}
      </Collapse>
    </div>
  );
}

const NAMES: readonly [keyof Draft, string][] = [
  ["timeout_seconds", "timeout"],
  ["limits", "limits"],
  ["credential", "credential"],
  ["egress", "hosts"],
  ["allow", "model service"],
  ["env", "variables"],
  ["secrets", "secrets"],
  ["name", "name"],
  ["python", "Python"],
  ["entry_point", "entry point"],
  ["record", "recording"],
];

/** The options that are not as they usually are. */
function changedOptions(draft: Draft): string[] {
  const usual = fresh();
  return NAMES.filter(
    ([field]) => JSON.stringify(draft[field]) !== JSON.stringify(usual[field]),
  ).map(([, name]) => `${name} set`);
}
