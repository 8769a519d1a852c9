import { Group, Text } from "@mantine/core";
import type { QueueState, WorkerState } from "../api/schema";
import { Tag } from "../shared/Tag";
import { count, interval } from "../shared/words";
import classes from "./Settings.module.css";

/** How many tests wait and run, how long a new one waits, and how often that came true. */
export function Queue({ queue }: { queue: QueueState }) {
  const numbers = [
    [queue.own ? "Your tests running" : "Running", queue.running],
    [queue.own ? "Your tests waiting" : "Waiting", queue.queued],
    ["Can run at one time", queue.slots],
  ] as const;
  return (
    <>
      <dl className={classes.numbers}>
        {numbers.map(([name, value]) => (
          <div key={name} className={classes.number}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Text size="sm" mt="sm">
        {next(queue)} {queue.reason}
      </Text>
      {queue.waits_measured > 0 && (
        <Text size="sm" className="quiet">
          {queue.waits_kept} of the last {count(queue.waits_measured, "test")} that had to wait
          started when they were told.
        </Text>
      )}
    </>
  );
}

function next({ slots, wait }: QueueState): string {
  if (slots === 0) return "No worker can take tests now: they wait until one can.";
  const words = interval(wait.low_seconds, wait.high_seconds);
  return `A test submitted now starts ${words === "now" ? "at once" : `in ${words}`}.`;
}

/** What runs tests here, and whether it can. */
export function Workers({ workers }: { workers: readonly WorkerState[] }) {
  if (workers.length === 0) return <Text size="sm">None is connected.</Text>;
  return (
    <ul className={classes.list}>
      {workers.map((worker, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they have no names, and keep their order
        <Worker key={index} worker={worker} />
      ))}
    </ul>
  );
}

function Worker({ worker }: { worker: WorkerState }) {
  const { engine, slots, trouble } = worker;
  const well = engine !== "" && trouble === "";
  return (
    <li className={classes.item}>
      <Group justify="space-between" wrap="nowrap" align="baseline">
        <div>
          <Text size="sm" fw={560}>
            {engine || "No container engine was seen yet"}
          </Text>
          <Text size="xs" className="quiet foreign">
            {trouble || `${count(slots, "test")} at one time`}
          </Text>
        </div>
        <Tag tone={well ? "good" : "quiet"}>{well ? "well" : "waiting"}</Tag>
      </Group>
    </li>
  );
}
