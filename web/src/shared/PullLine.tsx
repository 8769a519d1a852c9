import { Button, Progress, Text } from "@mantine/core";
import { type Pull, stopPull } from "../api/pulls";
import { visible } from "./ansi";
import classes from "./PullLine.module.css";
import { size } from "./words";

/** How far a pull is: what Ollama does now, bytes, per cent, and a way to leave it. */
export function PullLine({ model, pull }: { model: string; pull: Pull }) {
  const { completed_bytes: completed = 0, total_bytes: total = 0 } = pull.progress ?? {};
  const percent = total > 0 ? Math.floor((100 * completed) / total) : 0;
  return (
    <div className={classes.place}>
      <div className={classes.line}>
        <Text size="sm" className={classes.text}>
          Pulling <b className="foreign">{model}</b>
          {total > 0 ? `: ${size(completed)} of ${size(total)} (${percent} %)` : " …"}
        </Text>
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`Cancel pulling ${model}`}
          onClick={() => stopPull(model)}
        >
          Cancel
        </Button>
      </div>
      <Progress value={percent} size="sm" aria-label={`Pulling ${model}`} />
      <Text size="xs" className={`quiet foreign ${classes.text}`}>
        {visible(pull.progress?.status ?? "Ollama is asked")}
      </Text>
    </div>
  );
}
