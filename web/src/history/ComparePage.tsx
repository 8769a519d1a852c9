import { Anchor, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { testQuery } from "../api/queries";
import type { Test } from "../api/schema";
import { visible } from "../shared/ansi";
import { OutcomeBadge } from "../shared/OutcomeBadge";
import { Panel } from "../shared/Panel";
import { Trouble } from "../shared/Trouble";
import { useTitle } from "../shared/useTitle";
import { duration, size } from "../shared/words";
import classes from "./Compare.module.css";
import { FileDiff } from "./FileDiff";

/** Two tests side by side: what was asked and answered, what it took, what the code did otherwise. */
export function ComparePage({ left, right }: { left: string; right: string }) {
  useTitle("Compare");
  return left && right ? <Comparison left={left} right={right} /> : <Incomplete />;
}

/** An address that names fewer than two tests. */
function Incomplete() {
  return (
    <Stack align="center" gap="xs" py={80}>
      <Title order={1} size="h2">
        Select two tests to compare
      </Title>
      <Text className="quiet">This address names fewer than two.</Text>
      <Anchor component={Link} to="/tests">
        Select them in the history
      </Anchor>
    </Stack>
  );
}

function Comparison({ left, right }: { left: string; right: string }) {
  const [one, two] = useQueries({ queries: [testQuery(left), testQuery(right)] });
  const error = one?.error ?? two?.error;
  if (error) return <Trouble error={error} title="These tests cannot be compared" />;
  if (!one?.data || !two?.data) return <Skeleton height={320} aria-label="The tests are loading" />;
  return (
    <>
      <Title order={1} size="h3" mb="sm">
        Compare
      </Title>
      <Table left={one.data} right={two.data} />
      <Differences left={one.data} right={two.data} />
    </>
  );
}

const ROWS: readonly [string, (test: Test) => string][] = [
  ["Query", (test) => test.request.query],
  ["Model", (test) => test.result?.model ?? test.request.model ?? "the default"],
  ["Response", (test) => test.result?.response || (test.failure?.title ?? "–")],
  ["Time", ({ metrics }) => said(metrics?.wall_seconds, duration)],
  ["Memory peak", ({ metrics }) => said(metrics?.memory_peak_bytes, size)],
  ["CPU time", ({ metrics }) => said(metrics?.cpu_seconds, duration)],
  ["Model calls", ({ metrics }) => said(metrics?.model_calls, String)],
  [
    "Tokens",
    ({ metrics }) => (metrics ? `${metrics.input_tokens} in, ${metrics.output_tokens} out` : "–"),
  ],
];

function said(value: number | null | undefined, words: (value: number) => string): string {
  return typeof value === "number" ? words(value) : "–";
}

function Table({ left, right }: { left: Test; right: Test }) {
  return (
    <div className={`panel ${classes.scroller}`}>
      <table className={classes.table}>
        <thead>
          <tr>
            <td />
            {[left, right].map((test) => (
              <th key={test.id} scope="col">
                <Anchor component={Link} to={`/tests/${test.id}`} size="sm" className="foreign">
                  {visible(test.name ?? test.id)}
                </Anchor>{" "}
                <OutcomeBadge phase={test.phase} outcome={test.outcome} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ROWS.map(([name, read]) => {
            const [a, b] = [read(left), read(right)];
            return (
              <tr key={name} data-differs={a !== b || undefined}>
                <th scope="row">{name}</th>
                <td className="foreign">{visible(a)}</td>
                <td className="foreign">{visible(b)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Differences({ left, right }: { left: Test; right: Test }) {
  const [a, b] = [textsOf(left), textsOf(right)];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  const changed = names.filter((name) => a[name] !== b[name]);
  return (
    <Panel title="Files">
      {changed.length === 0 && <p className="quiet">Both ran the same files.</p>}
      {changed.map((name) => (
        <FileDiff key={name} name={name} before={a[name] ?? ""} after={b[name] ?? ""} />
      ))}
    </Panel>
  );
}

function textsOf({ request }: Test): Record<string, string> {
  return { ...request.files, "requirements.txt": request.requirements };
}
