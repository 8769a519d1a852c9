import { Button, CopyButton, Group, Text, Title, UnstyledButton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Copy, Pencil, RotateCcw, Square } from "lucide-react";
import type { Test } from "../api/schema";
import { useRetry } from "../bench/useRun";
import { OutcomeBadge } from "../shared/OutcomeBadge";
import { Trouble } from "../shared/Trouble";
import classes from "./Header.module.css";
import { useEdit, useStop } from "./useDeeds";

/** Which test this is, how it stands, and what can be done with it. */
export function Header({ test }: { test: Test }) {
  const retry = useRetry(test.id);
  const stop = useStop(test.id);
  const edit = useEdit();
  const over = test.phase === "completed";
  const error = retry.error ?? stop.error;
  return (
    <header className={classes.header}>
      <div className={classes.what}>
        <Group gap="xs" mb={4}>
          <OutcomeBadge phase={test.phase} outcome={test.outcome} />
          <CopyId id={test.id} />
          {test.retry_of && (
            <Text size="xs" component={Link} to={`/tests/${test.retry_of}`} className={classes.id}>
              retry of {test.retry_of}
            </Text>
          )}
        </Group>
        <Title order={1} className={`foreign ${classes.title}`} lineClamp={3}>
          {test.name ?? test.request.query}
        </Title>
      </div>
      <Group gap="xs">
        {!over && (
          <Button
            color="red"
            variant="light"
            leftSection={<Square size={14} />}
            loading={stop.isPending || test.cancel_requested}
            onClick={() => stop.mutate()}
          >
            Stop
          </Button>
        )}
        <Button variant="default" leftSection={<Pencil size={14} />} onClick={() => edit(test)}>
          Edit and run again
        </Button>
        {over && (
          <Button
            leftSection={<RotateCcw size={14} />}
            loading={retry.isPending}
            onClick={() => retry.mutate({})}
          >
            Retry
          </Button>
        )}
      </Group>
      {error && <Trouble error={error} />}
    </header>
  );
}

function CopyId({ id }: { id: string }) {
  return (
    <CopyButton value={id}>
      {({ copied, copy }) => (
        <UnstyledButton onClick={copy} className={classes.id} aria-label={`Copy the id ${id}`}>
          {copied ? "copied" : id} <Copy size={11} aria-hidden />
        </UnstyledButton>
      )}
    </CopyButton>
  );
}
