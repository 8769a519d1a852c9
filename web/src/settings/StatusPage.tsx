import { Anchor, Button, Group, SimpleGrid, Skeleton, Text, Title } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { providersQuery, queueQuery, sessionQuery } from "../api/queries";
import type { ProviderState, QueueState } from "../api/schema";
import { storedToken, storeToken } from "../api/session";
import { Panel } from "../shared/Panel";
import { Tag } from "../shared/Tag";
import { Trouble } from "../shared/Trouble";
import { useTitle } from "../shared/useTitle";
import { count, interval } from "../shared/words";
import classes from "./Settings.module.css";

/** Whether tests can run here now, and with which models. */
export function StatusPage() {
  useTitle("Status");
  const queue = useQuery({ ...queueQuery, refetchInterval: 5000 });
  const providers = useQuery({ ...providersQuery, refetchInterval: 15_000 });
  return (
    <>
      <Title order={1} size="h3" mb="md">
        Status
      </Title>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Panel title="Queue">
          {queue.error && <Trouble error={queue.error} />}
          {!queue.data && !queue.error && <Skeleton height={70} />}
          {queue.data && <Queue queue={queue.data} />}
        </Panel>
        <Panel title="Model services">
          {providers.error && <Trouble error={providers.error} />}
          {!providers.data && !providers.error && <Skeleton height={70} />}
          <ul className={classes.list}>
            {providers.data?.providers.map((state) => (
              <Provider key={state.name} state={state} />
            ))}
          </ul>
        </Panel>
        <You />
        <Panel title="For programs">
          <Text size="sm">
            All that this page does is the public API: its description is{" "}
            <Anchor href="/api/v1/openapi.json" underline="always">
              openapi.json
            </Anchor>
            , metrics for Prometheus are at{" "}
            <Anchor href="/metrics" underline="always">
              /metrics
            </Anchor>
            .
          </Text>
        </Panel>
      </SimpleGrid>
    </>
  );
}

function Queue({ queue }: { queue: QueueState }) {
  const numbers = [
    ["Running", queue.running],
    ["Waiting", queue.queued],
    ["Can run at one time", queue.slots],
  ] as const;
  const { wait } = queue;
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
        {queue.slots === 0
          ? "No worker is there: tests wait until one is."
          : `A test submitted now starts ${soon(interval(wait.low_seconds, wait.high_seconds))}.`}{" "}
        {queue.reason}
      </Text>
    </>
  );
}

const soon = (words: string) => (words === "now" ? "at once" : `in ${words}`);

function Provider({ state }: { state: ProviderState }) {
  return (
    <li className={classes.item}>
      <Group justify="space-between" wrap="nowrap" align="baseline">
        <div>
          <Text size="sm" fw={560}>
            {state.name}
          </Text>
          <Text size="xs" className="quiet foreign">
            {state.reachable
              ? `${state.base_url} · ${count(state.models.length, "model")}`
              : state.reason}
          </Text>
        </div>
        <Tag tone={state.reachable ? "good" : "quiet"}>
          {state.reachable ? "can be used" : "cannot be used"}
        </Tag>
      </Group>
    </li>
  );
}

function You() {
  const { data } = useQuery(sessionQuery);
  const queries = useQueryClient();
  const router = useRouter();
  function signOut() {
    storeToken(null);
    queries.clear();
    void router.navigate({ to: "/sign-in" });
  }
  return (
    <Panel title="You">
      {data && (
        <Text size="sm">
          Known as <b>{data.user}</b>
          {data.local ? ", by being on this machine" : ", by an API token"}. Seatrial {data.version}
          .
        </Text>
      )}
      {storedToken() !== null && (
        <Button size="compact-sm" variant="default" mt="sm" onClick={signOut}>
          Sign out
        </Button>
      )}
    </Panel>
  );
}
