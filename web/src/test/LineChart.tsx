import { Group, Text } from "@mantine/core";
import classes from "./LineChart.module.css";

interface LineChartProps {
  label: string;
  /** The newest value in words, and what it is of. */
  value: string;
  of?: string | undefined;
  /** Values in the order of time, each with its time. */
  points: readonly { at: number; value: number }[];
  /** What the full height stands for. */
  top: number;
}

const WIDTH = 300;
const HEIGHT = 56;
const MOST_POINTS = 300;

/** A small line over time. Its numbers are said in words beside it. */
export function LineChart({ label, value, of, points, top }: LineChartProps) {
  const line = pathOf(thinned(points), top);
  return (
    <figure className={classes.chart}>
      <Group justify="space-between" component="figcaption" gap={6} wrap="nowrap">
        <Text size="xs" className="quiet">
          {label}
        </Text>
        <Text size="xs" className={classes.value}>
          <b>{value}</b>
          {of && <span className="quiet"> of {of}</span>}
        </Text>
      </Group>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className={classes.plot}
        aria-hidden="true"
      >
        {line && (
          <>
            <path d={`${line} V${HEIGHT} H0 Z`} className={classes.area} />
            <path d={line} className={classes.line} vectorEffect="non-scaling-stroke" />
          </>
        )}
      </svg>
    </figure>
  );
}

function pathOf(points: LineChartProps["points"], top: number): string {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return "";
  const span = Math.max(1, last.at - first.at);
  // One value is all that is known so far: it stands for the whole time.
  const shown = points.length === 1 ? [first, { ...first, at: first.at + span }] : points;
  const steps = shown.map(({ at, value }) => {
    const x = (WIDTH * (at - first.at)) / span;
    const y = HEIGHT - 1 - (HEIGHT - 2) * Math.min(1, value / Math.max(top, 1e-9));
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return `M${steps.join(" L")}`;
}

/** Every so manyth point, where there are more than can be told apart. */
function thinned<T>(points: readonly T[]): readonly T[] {
  const step = Math.ceil(points.length / MOST_POINTS);
  return step <= 1 ? points : points.filter((_, i) => i % step === 0 || i === points.length - 1);
}
