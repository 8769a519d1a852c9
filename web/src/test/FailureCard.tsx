import { Button, Group, Text, Title } from "@mantine/core";
import { ArrowDown } from "lucide-react";
import { lazy, Suspense } from "react";
import type { Failure, Test } from "../api/schema";
import { useRetry } from "../bench/useRun";
import { visible } from "../shared/ansi";
import { Tag } from "../shared/Tag";
import { Trouble } from "../shared/Trouble";
import classes from "./FailureCard.module.css";
import { FixAction } from "./FixAction";
import { fixOf, modelToPull } from "./fixes";
import { type Line, lineThatProves } from "./journal";
import { WHOSE } from "./whose";

const PullFix = lazy(() => import("./PullFix"));

interface FailureCardProps {
  test: Test;
  failure: Failure;
  lines: readonly Line[];
  onShow: (target: { line: number }) => void;
}

/** Why a test failed: whose fault, what happened, the line that proves it, what to do. */
export function FailureCard({ test, failure, lines, onShow }: FailureCardProps) {
  const { evidence, evidence_event: event } = failure;
  const line = lineThatProves(lines, evidence, event ?? Number.POSITIVE_INFINITY);
  return (
    <section className={`panel ${classes.card}`} aria-label="Failure">
      <Group gap="xs">
        <Tag tone="bad">{WHOSE[failure.whose]}</Tag>
        <Text size="xs" className="quiet mono">
          {failure.code}
        </Text>
      </Group>
      <Title order={2} className={classes.title}>
        {failure.title}
      </Title>
      {failure.message !== failure.title && (
        <Text size="sm" className="foreign">
          {visible(failure.message)}
        </Text>
      )}
      {evidence && (
        <div className={classes.evidence}>
          <pre className={`foreign ${classes.line}`}>{visible(evidence)}</pre>
          {line >= 0 && (
            <Button
              size="compact-xs"
              variant="subtle"
              leftSection={<ArrowDown size={12} />}
              onClick={() => onShow({ line })}
            >
              Show in the console
            </Button>
          )}
        </div>
      )}
      <Text size="sm" fw={560} className="foreign">
        {visible(failure.what_to_do)}
      </Text>
      <FixButton test={test} failure={failure} />
    </section>
  );
}

function FixButton({ test, failure }: { test: Test; failure: Failure }) {
  const model = modelToPull(failure);
  if (model === null) return <ChangeFix test={test} failure={failure} />;
  return (
    <Suspense>
      <PullFix test={test} model={model} />
    </Suspense>
  );
}

function ChangeFix({ test, failure }: { test: Test; failure: Failure }) {
  const retry = useRetry(test.id);
  const fix = fixOf(failure, test.request);
  if (fix === null) return null;
  return (
    <>
      <FixAction
        label={fix.label}
        busy={retry.isPending}
        onClick={() => retry.mutate(fix.changes)}
      />
      {retry.error && <Trouble error={retry.error} />}
    </>
  );
}
