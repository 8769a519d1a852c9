import { Anchor, Button, Group, SimpleGrid, Skeleton, Text, Title } from "@mantine/core";
import { type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { limitsQuery, providersQuery, queueQuery, sessionQuery } from "../api/queries";
import type { ProviderState } from "../api/schema";
import { storedToken, storeToken } from "../api/session";
import { Panel } from "../shared/Panel";
import { Tag } from "../shared/Tag";
import { Trouble } from "../shared/Trouble";
import { useTitle } from "../shared/useTitle";
import { count } from "../shared/words";
import { LimitTable } from "./LimitTable";
import { Queue, Workers } from "./Queue";
import classes from "./Settings.module.css";

/** Whether tests can run here now, and with which models. */
export function StatusPage() {
  useTitle("Status");
  const queue = useQuery({ ...queueQuery, refetchInterval: 5000 });
  const providers = useQuery({ ...providersQuery, refetchInterval: 15_000 });
  const limits = useQuery(limitsQuery);
  return (
    <>
      <Title order={1} size="h3" mb="md">
        Status
      </Title>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Panel title="Queue">
          <Loaded query={queue}>{(state) => <Queue queue={state} />}</Loaded>
        </Panel>
        <Panel title="Workers">
          <Loaded query={queue}>{(state) => <Workers workers={state.workers} />}</Loaded>
        </Panel>
        <Panel title="Model services">
          <Loaded query={providers}>
            {(all) => (
              <ul className={classes.list}>
                {all.providers.map((state) => (
                  <Provider key={state.name} state={state} />
                ))}
              </ul>
            )}
          </Loaded>
        </Panel>
        <Panel title="Limits of a test">
          <Loaded query={limits}>{(all) => <LimitTable limits={all.limits} />}</Loaded>
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

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  children: (data: T) => ReactNode;
}

/** What was asked for, that it is on its way, or why it did not come. */
function Loaded<T>({ query, children }: LoadedProps<T>) {
  if (query.error) return <Trouble error={query.error} />;
  return query.data === undefined ? <Skeleton height={70} /> : children(query.data);
}

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
              ? [state.base_url, count(state.models.length, "model")].filter(Boolean).join(" · ")
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
          {data.local ? ", the owner of this installation" : ", by an API token"}. Seatrial{" "}
          {data.version}.
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
