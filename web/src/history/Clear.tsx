import { Loader, Radio, Stack } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { HistoryFilter } from "../api/queries";
import { Confirm } from "../shared/Confirm";
import { completed, described, olderThan, removeEach } from "./matching";

const AGES = [
  { days: 30, label: "Older than 30 days" },
  { days: 7, label: "Older than 7 days" },
  { days: 0, label: "Of any age" },
];

interface ClearProps {
  filter: HistoryFilter;
  onClose: () => void;
  onDone: () => void;
}

/** Deletes the completed tests that the filter shows, by age; it says how many before it asks. */
export function Clear({ filter, onClose, onDone }: ClearProps) {
  const queries = useQueryClient();
  const [days, setDays] = useState(0);
  const [opened] = useState(() => Date.now());
  const found = useQuery({
    queryKey: ["history", "clear", filter],
    queryFn: () => completed(filter),
    gcTime: 0,
  });
  const tests = olderThan(found.data ?? [], days, opened);
  const remove = useMutation({
    mutationFn: () => removeEach(tests.map(({ id }) => id)),
    onSettled: () => queries.invalidateQueries({ queryKey: ["history"] }),
    onSuccess: onDone,
  });
  return (
    <Confirm
      title="Clear the history?"
      action={tests.length === 0 ? "Delete" : `Delete ${described({}, tests.length)}`}
      disabled={tests.length === 0}
      pending={remove.isPending}
      error={found.error ?? remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <Radio.Group
        label="Tests to delete"
        value={String(days)}
        onChange={(value) => setDays(Number(value))}
      >
        <Stack gap={6} my="xs">
          {AGES.map((age) => (
            <Radio
              key={age.days}
              value={String(age.days)}
              label={`${age.label}: ${found.data ? olderThan(found.data, age.days, opened).length.toLocaleString() : "…"}`}
            />
          ))}
        </Stack>
      </Radio.Group>
      <div role="status">
        {found.isPending ? (
          <Loader size="xs" aria-label="Counting tests" />
        ) : (
          words(filter, tests.length)
        )}
      </div>
    </Confirm>
  );
}

function words(filter: HistoryFilter, count: number): string {
  if (count === 0) return "No completed test matches.";
  const logs = "Logs, results and packages are removed permanently.";
  return `${described(filter, count)} will be deleted. ${logs}`;
}
