import { Autocomplete, Loader, Text } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { credentialsQuery, providersQuery, storedModelsQuery } from "../api/queries";
import type { CredentialInfo } from "../api/schema";
import { visible } from "../shared/ansi";
import { canBePulled, namedOfOllama } from "../shared/ollama";
import classes from "../shared/PullLine.module.css";
import { changeDraft, type Draft } from "./draft";
import { credentialFor, groupsOf, listsModels, meant, NAMES, type StoredModels } from "./models";

const PullOffer = lazy(() => import("./PullOffer"));
const NONE: readonly CredentialInfo[] = [];

/** Which model the agent is offered: one that a provider lists now, or any that is typed. */
export function ModelPicker({ draft, problem }: { draft: Draft; problem: string | null }) {
  const { data, isFetching, refetch } = useQuery(providersQuery);
  const credentials = useQuery(credentialsQuery).data?.credentials ?? NONE;
  const [asked, setAsked] = useState(false);
  const { stored, asking } = useStoredModels(credentials, asked);
  const states = data?.providers ?? [];

  function choose(model: string) {
    const credential = credentialFor(model, stored);
    if (credential !== undefined) changeDraft({ credential });
  }

  return (
    <div>
      <Autocomplete
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
        rightSection={isFetching || asking ? <Loader size={14} /> : undefined}
        error={problem}
        clearable
        limit={200}
        comboboxProps={{ shadow: "md" }}
      />
      <Offer draft={draft} credentials={credentials} />
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

/** The models of the credentials that can be asked for some, once somebody wants to choose. */
function useStoredModels(credentials: readonly CredentialInfo[], wanted: boolean) {
  const usable = credentials.filter(listsModels);
  const answers = useQueries({
    queries: usable.map((one) => ({ ...storedModelsQuery(one), enabled: wanted })),
  });
  const stored: StoredModels[] = usable.map((credential, place) => {
    const answer = answers[place];
    const models = answer?.data?.models ?? [];
    const empty = answer?.data && models.length === 0 ? "it lists none" : "";
    const reason = answer?.data?.reason || answer?.error?.message || empty;
    return { credential, models, reason };
  });
  return { stored, asking: answers.some((answer) => answer.isFetching) };
}

/** Offers to pull what the operator's Ollama does not have, where that is the one that is meant. */
function Offer({ draft, credentials }: { draft: Draft; credentials: readonly CredentialInfo[] }) {
  const { data } = useQuery(providersQuery);
  const named = namedOfOllama(draft.model);
  const elsewhere = credentials.some(
    (one) =>
      one.provider === "ollama" &&
      (one.name === draft.credential || one === meant(credentials, "ollama")),
  );
  const missing = named !== null && !elsewhere && canBePulled(named, data?.providers ?? []);
  const [offered, setOffered] = useState(false);
  if (missing && !offered) setOffered(true);
  if (!offered || named === null) return null;
  return (
    <Suspense fallback={<div className={classes.place} />}>
      <PullOffer model={named} missing={missing} />
    </Suspense>
  );
}

function Away({ name, why, listed = false }: { name: string; why: string; listed?: boolean }) {
  return (
    <Text size="xs" className="quiet foreign" mt={6}>
      <b>{name}</b> {listed ? "lists no models" : "cannot be used"}: {visible(why)}
    </Text>
  );
}
