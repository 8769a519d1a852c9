import { Button, Group, Skeleton, Text, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type HistoryFilter, historyQuery } from "../api/queries";
import type { TestSummary } from "../api/schema";
import { Trouble } from "../shared/Trouble";
import { useTitle } from "../shared/useTitle";
import { Filters } from "./Filters";
import classes from "./History.module.css";
import { HistoryActions } from "./HistoryActions";
import { TestRow } from "./TestRow";

const SOON = 3000;

/** All tests of this user, newest first. */
export function HistoryPage({ filter }: { filter: HistoryFilter }) {
  useTitle("History");
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    ...historyQuery(filter),
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.tests.some(unfinished)) ? SOON : false,
  });
  const tests = data?.pages.flatMap((page) => page.tests) ?? [];
  const choose = (id: string, on: boolean) =>
    setChosen((before) => (on ? [...before, id] : before.filter((other) => other !== id)));

  return (
    <>
      <Group justify="space-between" mb="sm">
        <Title order={1} size="h3">
          History
        </Title>
        <HistoryActions
          filter={filter}
          chosen={chosen.filter((id) => tests.some((test) => test.id === id))}
          onDone={() => setChosen([])}
        />
      </Group>
      <Filters filter={filter} models={tests.map(mainModel)} />
      {error && <Trouble error={error} />}
      {!data && !error && <Skeleton height={240} aria-label="The history is loading" />}
      {data && tests.length === 0 && <Nothing filter={filter} />}
      {tests.length > 0 && (
        <ul className={`panel ${classes.list}`} aria-label="Tests">
          {tests.map((test) => (
            <TestRow
              key={test.id}
              test={test}
              chosen={chosen.includes(test.id)}
              onChoose={(on) => choose(test.id, on)}
            />
          ))}
        </ul>
      )}
      {hasNextPage && (
        <Button
          variant="default"
          mt="sm"
          loading={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          Show older tests
        </Button>
      )}
    </>
  );
}

function mainModel({ model }: TestSummary): string {
  return model?.split(",")[0] ?? "default";
}

function unfinished(test: TestSummary): boolean {
  return test.phase !== "completed";
}

function Nothing({ filter }: { filter: HistoryFilter }) {
  const narrowed = filter.q || filter.outcome || filter.model;
  return (
    <Text className="quiet" ta="center" py={60}>
      {narrowed ? "No test is like that." : "No test yet: run one at the bench."}
    </Text>
  );
}
