import { ActionIcon, Button, Group, Select, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useState } from "react";
import { credentialsQuery } from "../api/queries";
import type { FieldProblem } from "../api/schema";
import { changeDraft, type Draft } from "./draft";

interface VariablesProps {
  draft: Draft;
  problems: readonly FieldProblem[];
}

/** Variables of the agent's process: in the open, or holding a stored secret. */
export function Variables({ draft, problems }: VariablesProps) {
  const { data } = useQuery(credentialsQuery);
  const secrets = (data?.credentials ?? []).filter((one) => one.provider === "secret");
  const wrong = problems.filter(({ field }) => /^(env|secrets)\b/.test(field));
  return (
    <>
      <Listed entries={draft.env} onChange={(env) => changeDraft({ env })} />
      <Listed entries={draft.secrets} onChange={(kept) => changeDraft({ secrets: kept })} secret />
      <NewVariable draft={draft} secrets={secrets.map((one) => one.name)} />
      {wrong.map((problem) => (
        <Text key={problem.field + problem.message} size="xs" c="var(--bad)" mt={6}>
          {problem.field}: {problem.message}
        </Text>
      ))}
    </>
  );
}

interface ListedProps {
  entries: Record<string, string>;
  onChange: (entries: Record<string, string>) => void;
  secret?: boolean;
}

function Listed({ entries, onChange, secret = false }: ListedProps) {
  return Object.entries(entries).map(([name, value]) => (
    <Group key={name} gap="xs" mb={6} wrap="nowrap">
      <Text size="sm" className="mono foreign" flex={1}>
        {name}={secret ? `secret “${value}”` : value}
      </Text>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Remove ${name}`}
        onClick={() => {
          const { [name]: _, ...others } = entries;
          onChange(others);
        }}
      >
        <X size={15} />
      </ActionIcon>
    </Group>
  ));
}

function NewVariable({ draft, secrets }: { draft: Draft; secrets: string[] }) {
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [secret, setSecret] = useState<string | null>(null);

  function add() {
    if (secret !== null) changeDraft({ secrets: { ...draft.secrets, [name]: secret } });
    else changeDraft({ env: { ...draft.env, [name]: value } });
    setName("");
    setValue("");
    setSecret(null);
  }

  return (
    <>
      <Group gap="xs" grow wrap="nowrap" align="end">
        <TextInput
          label="Name"
          placeholder="CITY"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="Value"
          placeholder="Berlin"
          value={value}
          disabled={secret !== null}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
      </Group>
      {secrets.length > 0 && (
        <Select
          label="Or a stored secret"
          data={secrets}
          value={secret}
          onChange={setSecret}
          clearable
          mt="xs"
        />
      )}
      <Button
        size="compact-sm"
        variant="light"
        leftSection={<Plus size={14} />}
        mt="sm"
        disabled={name === ""}
        onClick={add}
      >
        Add variable
      </Button>
    </>
  );
}
