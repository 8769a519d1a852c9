import { Button, Group, Modal, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Columns2, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client";
import { useRetry } from "../bench/useRun";
import { Trouble } from "../shared/Trouble";
import { count } from "../shared/words";

interface HistoryActionsProps {
  chosen: readonly string[];
  onDone: () => void;
}

/** What can be done with the tests that are chosen, or with all. */
export function HistoryActions({ chosen, onDone }: HistoryActionsProps) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [left, right] = chosen;
  const retry = useRetry(left ?? "");
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
      {asking && (
        <Confirm
          chosen={chosen}
          onClose={() => setAsking(false)}
          onDone={() => {
            setAsking(false);
            onDone();
          }}
        />
      )}
    </Group>
  );
}

interface ConfirmProps extends HistoryActionsProps {
  onClose: () => void;
}

function Confirm({ chosen, onClose, onDone }: ConfirmProps) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => (chosen.length > 0 ? removeEach(chosen) : removeAll()),
    onSettled: () => queries.invalidateQueries({ queryKey: ["history"] }),
    onSuccess: onDone,
  });
  const what =
    chosen.length > 0
      ? `${count(chosen.length, "test")} with logs and results`
      : "All tests that are over, with logs and results";
  return (
    <Modal
      opened
      onClose={onClose}
      title="Delete for good?"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Text size="sm">{what} will be removed. This cannot be undone.</Text>
      {remove.error && <Trouble error={remove.error} />}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep
        </Button>
        <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
          Delete
        </Button>
      </Group>
    </Modal>
  );
}

async function removeAll(): Promise<void> {
  await api.DELETE("/api/v1/tests");
}

async function removeEach(ids: readonly string[]): Promise<void> {
  for (const id of ids)
    await api.DELETE("/api/v1/tests/{test_id}", { params: { path: { test_id: id } } });
}
