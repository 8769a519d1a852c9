import { Text } from "@mantine/core";
import type { MetricEvent, Test } from "../api/schema";
import { Panel } from "../shared/Panel";
import { size } from "../shared/words";
import type { At, Told } from "./journal";
import { LineChart } from "./LineChart";

/** Memory and CPU of the test's container, live, and what it used in the end. */
export function Meters({ test, told }: { test: Test; told: Told }) {
  const { metrics } = test;
  const newest = told.metrics.at(-1)?.data;
  const limit = metrics?.memory_limit_bytes ?? test.request.limits.memory_mb * 2 ** 20;
  const memory = told.metrics.map(({ at, data }) => ({ at, value: data.memory_bytes }));
  const cpu = cpuRates(told.metrics);
  const cores = test.request.limits.cpus;
  const peak = metrics?.memory_peak_bytes ?? newest?.memory_peak_bytes;
  const cpuSeconds = metrics?.cpu_seconds ?? newest?.cpu_seconds;
  return (
    <Panel title="Resources">
      <LineChart
        label="Memory"
        value={newest ? size(newest.memory_bytes) : "–"}
        of={size(limit)}
        points={memory}
        top={limit}
      />
      <LineChart
        label="CPU"
        value={cpu.length > 0 ? `${Math.round(100 * (cpu.at(-1)?.value ?? 0))} %` : "–"}
        of={`${Math.round(100 * cores)} %`}
        points={cpu}
        top={cores}
      />
      <Text size="xs" className="quiet">
        Peak {typeof peak === "number" ? size(peak) : "–"} · CPU time{" "}
        {typeof cpuSeconds === "number" ? `${cpuSeconds.toFixed(2)} s` : "–"} · Processes{" "}
        {metrics?.processes_peak ?? newest?.processes ?? "–"}
      </Text>
    </Panel>
  );
}

/** Cores in use between each two samples. */
function cpuRates(samples: readonly At<MetricEvent>[]): { at: number; value: number }[] {
  return samples.slice(1).flatMap((sample, index) => {
    const before = samples[index];
    if (before === undefined) return [];
    const seconds = (sample.at - before.at) / 1000;
    const used = sample.data.cpu_seconds - before.data.cpu_seconds;
    // Less than nothing is another container: another attempt.
    return seconds > 0 && used >= 0 ? [{ at: sample.at, value: used / seconds }] : [];
  });
}
