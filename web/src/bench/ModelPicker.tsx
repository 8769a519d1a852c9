import { Autocomplete, Loader, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { credentialsQuery, providersQuery, storedModelsQuery } from "../api/queries";
import type { CredentialInfo } from "../api/schema";
import { changeDraft, type Draft } from "./draft";
import { credentialFor, groupsOf, listsModels, meant, NAMES } from "./models";
import { idOf } from "./problems";

const PullOffer = lazy(() => import("./PullOffer"));
const NONE: readonly CredentialInfo[] = [];

/** Which model the agent is offered: one that a provider lists now, or any that is typed. */
export function ModelPicker({ draft, problem }: { draft: Draft; problem: string | null }) {
  const { data, isFetching, refetch } = useQuery(providersQuery);
  const credentials = useQuery(credentialsQuery).data?.credentials ?? NONE;
  const [asked, setAsked] = useState(false);
  const usable = credentials.filter(listsModels);
  const lists = useQuery({ ...storedModelsQuery(usable), enabled: asked && usable.length > 0 });
  const stored = lists.data ?? usable.map((credential) => ({ credential, models: [], reason: "" }));
  const states = data?.providers ?? [];

  function choose(model: string) {
    const credential = credentialFor(model, stored);
    if (credential !== undefined) changeDraft({ credential });
  }

  return (
    <div>
      <Autocomplete
        id={idOf("model")}
        label="Model"
        description="As provider:model; empty takes this server's default"
        placeholder="Default model"
        data={groupsOf(states, stored)}
        value={draft.model ?? ""}
        onChange={(model) => changeDraft({ model: model.trim() === "" ? null : model.trim() })}
        onOptionSubmit={choose}
        onFocus={() => {
          setAsked(true);
          void refetch();
        }}
        rightSection={isFetching || lists.isFetching ? <Loader size={14} /> : undefined}
        error={problem}
        clearable
        limit={200}
        comboboxProps={{ shadow: "md" }}
      />
      {draft.model?.includes("ollama:") && (
        <Suspense>
          <PullOffer draft={draft} states={states} credentials={credentials} />
        </Suspense>
      )}
      {states
        .filter((state) => !(state.reachable || meant(credentials, state.name)))
        .map((state) => (
          <Away key={state.name} name={NAMES[state.name] ?? state.name} why={state.reason} />
        ))}
      {stored
        .filter(({ reason }) => reason !== "")
        .map(({ credential: { name, provider }, reason }) => (
          <Away key={`of ${name}`} name={`${name} (${NAMES[provider]})`} why={reason} listed />
        ))}
    </div>
  );
}

function Away({ name, why, listed = false }: { name: string; why: string; listed?: boolean }) {
  return (
    <Text size="xs" className="quiet foreign" mt={6}>
      <b>{name}</b> {listed ? "lists no models" : "cannot be used"}: {why}
    </Text>
  );
}
