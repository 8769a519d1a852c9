import { Loader } from "@mantine/core";
import { Minus, Check as Tick, X } from "lucide-react";
import { isPending } from "../api/queries";
import type { Check, Rehearsal } from "../api/schema";
import { visible } from "../shared/ansi";
import { Tag, type Tone } from "../shared/Tag";
import classes from "./Packages.module.css";

const STATES: Record<Rehearsal["state"], { word: string; tone: Tone }> = {
  waiting: { word: "Waits to be tried out", tone: "quiet" },
  running: { word: "Is being tried out", tone: "busy" },
  passed: { word: "Tried out: works", tone: "good" },
  failed: { word: "Tried out: does not work", tone: "bad" },
  skipped: { word: "Could not be tried out", tone: "quiet" },
};

const MEANWHILE =
  "A worker builds its image, starts it and asks the tested query. The download is ready all the same.";

/** Whether the package was built, started and asked here, check by check with its reason. */
export function TriedOut({ rehearsal }: { rehearsal: Rehearsal }) {
  const { word, tone } = STATES[rehearsal.state];
  const pending = isPending(rehearsal);
  return (
    <div className={classes.tried}>
      <div role="status">
        <Tag tone={tone} icon={rehearsal.state === "running" && <Loader size={10} aria-hidden />}>
          {word}
        </Tag>
        {pending && <p className={classes.meanwhile}>{MEANWHILE}</p>}
      </div>
      {rehearsal.checks.length > 0 && (
        <ul className={classes.checks} aria-label="What was tried out">
          {rehearsal.checks.map((check) => (
            <CheckLine key={check.name} check={check} />
          ))}
        </ul>
      )}
    </div>
  );
}

const SIGNS = { passed: Tick, failed: X, skipped: Minus };

function CheckLine({ check }: { check: Check }) {
  const { name, result, detail } = check;
  const Sign = SIGNS[result];
  return (
    <li className={classes.check} data-result={result}>
      <Sign size={14} aria-hidden />
      <div>
        <span className={classes.result}>{result}: </span>
        {visible(name)}
        {detail && <p className={`foreign ${classes.detail}`}>{visible(detail)}</p>}
      </div>
    </li>
  );
}
