import { Text } from "@mantine/core";
import type { ModelCallEvent, Phase } from "../api/schema";
import { visible } from "../shared/ansi";
import { Panel } from "../shared/Panel";
import { count, duration } from "../shared/words";
import classes from "./Calls.module.css";
import type { At, Emptiness } from "./journal";

interface CallsProps {
  calls: readonly At<ModelCallEvent>[];
  phases: readonly At<{ phase: Phase }>[];
  empty: Emptiness;
}

const MOST_SHOWN = 200;
const NONE: Record<Emptiness, string> = {
  come: "None yet.",
  read: "They are being read.",
  nothing: "None.",
};

/** The model calls along the time that the agent ran, each with its latency and tokens. */
export function Calls({ calls, phases, empty }: CallsProps) {
  const shown = calls.slice(-MOST_SHOWN);
  const began = shown.map((call) => call.at - call.data.latency_seconds * 1000);
  const running = phases.findLast(({ data }) => data.phase === "running")?.at ?? Infinity;
  const from = Math.min(running, ...began);
  const to = Math.max(...shown.map((call) => call.at), from + 1);
  return (
    <Panel title="Model calls" tools={<Totals calls={calls} />}>
      {calls.length === 0 && (
        <Text size="sm" className="quiet">
          {NONE[empty]}
        </Text>
      )}
      <ol className={classes.list}>
        {shown.map((call) => (
          <Call key={call.number} call={call} from={from} to={to} />
        ))}
      </ol>
      {calls.length > MOST_SHOWN && (
        <Text size="xs" className="quiet">
          The last {MOST_SHOWN} are shown.
        </Text>
      )}
    </Panel>
  );
}

function Totals({ calls }: { calls: readonly At<ModelCallEvent>[] }) {
  if (calls.length === 0) return null;
  const sum = (field: "input_tokens" | "output_tokens") =>
    calls.reduce((total, { data }) => total + (data[field] ?? 0), 0).toLocaleString();
  return (
    <Text size="xs" className="quiet">
      {count(calls.length, "call")} · {sum("input_tokens")} tokens in, {sum("output_tokens")} out
    </Text>
  );
}

function Call({ call, from, to }: { call: At<ModelCallEvent>; from: number; to: number }) {
  const { data } = call;
  const bad = data.error || data.status === null || (data.status ?? 0) >= 400;
  const percent = (milliseconds: number) => (100 * milliseconds) / (to - from);
  const width = Math.max(1, percent(data.latency_seconds * 1000));
  const left = Math.min(100 - width, percent(call.at - data.latency_seconds * 1000 - from));
  return (
    <li className={classes.call} data-bad={bad ? true : undefined}>
      <div className={classes.head}>
        <span className={`foreign ${classes.model}`}>{visible(data.model || data.provider)}</span>
        <span className={classes.facts}>
          {data.replayed ? "replayed" : (data.status ?? "broken off")} ·{" "}
          {duration(data.latency_seconds)}
        </span>
      </div>
      <div className={classes.track} aria-hidden>
        <div className={classes.bar} style={{ left: `${left}%`, width: `${width}%` }} />
      </div>
      <div className={classes.facts}>
        {data.operation && `${data.operation} · `}
        {tokens(data)}
        {data.message && <span className="foreign"> · {visible(data.message)}</span>}
      </div>
    </li>
  );
}

function tokens({ input_tokens: used, output_tokens: made }: ModelCallEvent): string {
  if (typeof used !== "number" && typeof made !== "number") return "tokens not reported";
  return `${used ?? "?"} tokens in, ${made ?? "?"} out`;
}
