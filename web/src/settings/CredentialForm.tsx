import { Button, PasswordInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, body } from "../api/client";
import { ApiProblem } from "../api/problem";
import { credentialsQuery, providersQuery } from "../api/queries";
import type { Credential, CredentialInfo } from "../api/schema";
import { Confirm } from "../shared/Confirm";
import { Trouble } from "../shared/Trouble";
import { toast } from "../shared/toast";
import { type CredentialField, PROVIDERS } from "./providers";

type Provider = Credential["provider"];
type Values = Partial<Record<CredentialField["name"], string>>;

const CHOICES = Object.entries(PROVIDERS).map(([value, { label }]) => ({ value, label }));

interface CredentialFormProps {
  onStored?: (stored: CredentialInfo) => void;
}

/** Asks for a credential and stores it. What was typed is forgotten as soon as it is stored. */
export function CredentialForm({ onStored }: CredentialFormProps) {
  const [provider, setProvider] = useState<Provider>("openai");
  const [name, setName] = useState("default");
  const [values, setValues] = useState<Values>({});
  const store = useStore((stored) => {
    setValues({});
    onStored?.(stored);
  });
  const problems = store.error instanceof ApiProblem ? store.error.fields : [];
  const wrong = (field: string) => problems.find((one) => one.field === field)?.message;

  const stored = useQuery(credentialsQuery).data?.credentials;
  const existing = stored?.find((one) => one.name === name.trim());
  const [replacing, setReplacing] = useState(false);

  function send() {
    setReplacing(false);
    const given = Object.entries(values).filter(([, value]) => value);
    store.mutate({ name, credential: { provider, ...Object.fromEntries(given) } });
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (existing) setReplacing(true);
    else send();
  }

  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack gap="sm">
        <Select
          label="For"
          data={CHOICES}
          value={provider}
          allowDeselect={false}
          onChange={(chosen) => {
            setProvider(chosen as Provider);
            setValues({});
          }}
        />
        <TextInput
          label="Name"
          description="The one called default is used where a test names none"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={wrong("name")}
          required
        />
        {PROVIDERS[provider].fields.map((field) => (
          <Field
            key={field.name}
            field={field}
            value={values[field.name] ?? ""}
            error={wrong(field.name)}
            onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
          />
        ))}
        {provider === "secret" && (
          <Text size="xs" className="quiet">
            The agent's own process gets this one in the clear, where a test names it.
          </Text>
        )}
        {store.error && problems.length === 0 && <Trouble error={store.error} />}
        <Button type="submit" loading={store.isPending}>
          Store
        </Button>
      </Stack>
      {replacing && existing && (
        <Confirm
          title={`Replace ${existing.name}?`}
          action="Replace"
          onConfirm={send}
          onClose={() => setReplacing(false)}
        >
          A credential named {existing.name} for {PROVIDERS[existing.provider].label} is stored. Its
          secret cannot be read back or restored.
        </Confirm>
      )}
    </form>
  );
}

interface FieldProps {
  field: CredentialField;
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}

function Field({ field, value, error, onChange }: FieldProps) {
  const Input = field.secret ? PasswordInput : TextInput;
  return (
    <Input
      label={field.label}
      placeholder={field.placeholder}
      value={value}
      required={!field.optional}
      error={error}
      autoComplete="off"
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function useStore(onStored: (stored: CredentialInfo) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, credential }: { name: string; credential: Credential }) =>
      body(api.PUT("/api/v1/credentials/{name}", { params: { path: { name } }, body: credential })),
    onSuccess: (stored) => {
      onStored(stored);
      void toast({ message: `Stored as ${stored.name}.` });
      void queries.invalidateQueries(providersQuery);
      return queries.invalidateQueries(credentialsQuery);
    },
  });
}
