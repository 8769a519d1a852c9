import { Checkbox, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { serverNow } from "../api/clock";
import type { TestSummary } from "../api/schema";
import { visible } from "../shared/ansi";
import { OutcomeBadge } from "../shared/OutcomeBadge";
import { duration, moment } from "../shared/words";
import classes from "./History.module.css";

interface TestRowProps {
  test: TestSummary;
  chosen: boolean;
  onChoose: (on: boolean) => void;
}

/** One test in the history. */
export function TestRow({ test, chosen, onChoose }: TestRowProps) {
  const title = test.name ?? test.query;
  return (
    <li className={classes.row}>
      <Checkbox
        size="xs"
        checked={chosen}
        onChange={(event) => onChoose(event.currentTarget.checked)}
        aria-label={`Choose ${visible(title)}`}
      />
      <Link to="/tests/$testId" params={{ testId: test.id }} className={classes.link}>
        <Text component="span" size="sm" fw={540} truncate className="foreign">
          {visible(title)}
        </Text>
        <Text component="span" size="xs" truncate className={`quiet foreign ${classes.second}`}>
          {visible(
            [test.name ? test.query : "", test.failure_code ?? ""].filter(Boolean).join(" · "),
          )}
        </Text>
      </Link>
      <Text size="xs" truncate className={`quiet foreign ${classes.model}`}>
        {visible(test.model ?? "default model")}
      </Text>
      <OutcomeBadge phase={test.phase} outcome={test.outcome} />
      <Text size="xs" className={`quiet ${classes.time}`}>
        <span>{moment(test.created_at, serverNow())}</span>
        <span>{took(test)}</span>
      </Text>
    </li>
  );
}

function took({ started_at, completed_at }: TestSummary): string {
  if (!started_at || !completed_at) return "";
  return duration((Date.parse(completed_at) - Date.parse(started_at)) / 1000);
}
