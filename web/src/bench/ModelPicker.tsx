import { Autocomplete, Group, Loader, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { providersQuery } from "../api/queries";
import type { ProviderState } from "../api/schema";
import { canBePulled, namedOfOllama } from "../shared/ollama";
import classes from "../shared/PullLine.module.css";
import { changeDraft, type Draft } from "./draft";

const PullOffer = lazy(() => import("./PullOffer"));

const NAMES: Record<string, string> = {
  ollama: "Ollama",
  openai: "OpenAI and compatible",
  anthropic: "Anthropic",
  bedrock: "AWS Bedrock",
  testmodel: "Built-in test model",
};

/** Which model the agent is offered: one that a provider lists now, or any that is typed. */
export function ModelPicker({ draft, problem }: { draft: Draft; problem: string | null }) {
  const { data, isFetching, refetch } = useQuery(providersQuery);
  const states = data?.providers ?? [];
  const named = namedOfOllama(draft.model);
  const missing = named !== null && canBePulled(named, states);
  const [offered, setOffered] = useState(false);
  if (missing && !offered) setOffered(true);
  const away = states.filter((state) => !state.reachable);

  return (
    <div>
      <Autocomplete
        label="Model"
        description="As provider:model; empty takes this server's default"
        placeholder="Default model"
        data={groups(states)}
        value={draft.model ?? ""}
        onChange={(model) => changeDraft({ model: model.trim() === "" ? null : model.trim() })}
        onFocus={() => void refetch()}
        rightSection={isFetching ? <Loader size={14} /> : undefined}
        error={problem}
        clearable
        limit={200}
        comboboxProps={{ shadow: "md" }}
      />
      {offered && named !== null && (
        <Suspense fallback={<div className={classes.place} />}>
          <PullOffer model={named} missing={missing} />
        </Suspense>
      )}
      {away.map((state) => (
        <Group key={state.name} gap={6} mt={6} wrap="nowrap" align="baseline">
          <Text size="xs" className="quiet">
            <b>{NAMES[state.name] ?? state.name}</b> cannot be used: {state.reason}
          </Text>
        </Group>
      ))}
    </div>
  );
}

function groups(states: readonly ProviderState[]) {
  const listed = states
    .filter((state) => state.reachable && state.name !== "testmodel" && state.models.length > 0)
    .map((state) => ({
      group: NAMES[state.name] ?? state.name,
      items: state.models.map((model) => `${state.name}:${model}`),
    }));
  const testmodel = states.some((state) => state.name === "testmodel" && state.reachable);
  const own = testmodel ? ["testmodel", "none"] : ["none"];
  return [...listed, { group: "Without a provider", items: own }];
}
