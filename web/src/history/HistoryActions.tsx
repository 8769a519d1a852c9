import { Button, Group } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Columns2, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import type { HistoryFilter } from "../api/queries";
import { useRetry } from "../bench/useRun";
import { Confirm } from "../shared/Confirm";
import { Trouble } from "../shared/Trouble";
import { count } from "../shared/words";
import { Clear } from "./Clear";
import { removeEach } from "./matching";

interface HistoryActionsProps {
  /** What the history shows: Clear deletes nothing besides. */
  filter: HistoryFilter;
  chosen: readonly string[];
  onDone: () => void;
}

/** What can be done with the tests that are chosen, or with all that are shown. */
export function HistoryActions({ filter, chosen, onDone }: HistoryActionsProps) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [left, right] = chosen;
  const retry = useRetry(left ?? "");
  const close = () => setAsking(false);
  const done = () => {
    close();
    onDone();
  };
  return (
    <Group gap="xs">
      <Button
        size="compact-md"
        variant="default"
        leftSection={<RotateCcw size={14} />}
        disabled={chosen.length !== 1}
        loading={retry.isPending}
        onClick={() => retry.mutate({})}
      >
        Retry
      </Button>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<Columns2 size={14} />}
        disabled={chosen.length !== 2}
        onClick={() => left && right && void navigate({ to: "/compare", search: { left, right } })}
      >
        Compare two
      </Button>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<Trash2 size={14} />}
        onClick={() => setAsking(true)}
      >
        {chosen.length > 0 ? `Delete ${chosen.length}` : "Clear"}
      </Button>
      {retry.error && <Trouble error={retry.error} />}
      {asking && chosen.length > 0 && <Deletion chosen={chosen} onClose={close} onDone={done} />}
      {asking && chosen.length === 0 && <Clear filter={filter} onClose={close} onDone={done} />}
    </Group>
  );
}

interface DeletionProps {
  chosen: readonly string[];
  onClose: () => void;
  onDone: () => void;
}

function Deletion({ chosen, onClose, onDone }: DeletionProps) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => removeEach(chosen),
    onSettled: () => queries.invalidateQueries({ queryKey: ["history"] }),
    onSuccess: onDone,
  });
  return (
    <Confirm
      title="Delete for good?"
      action="Delete"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      {count(chosen.length, "test")} with logs and results will be removed. This cannot be undone.
    </Confirm>
  );
}
