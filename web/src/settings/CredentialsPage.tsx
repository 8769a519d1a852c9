import { ActionIcon, Group, SimpleGrid, Skeleton, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client";
import { serverNow } from "../api/clock";
import { credentialsQuery } from "../api/queries";
import type { CredentialInfo } from "../api/schema";
import { Confirm } from "../shared/Confirm";
import { Panel } from "../shared/Panel";
import { Trouble } from "../shared/Trouble";
import { useTitle } from "../shared/useTitle";
import { moment } from "../shared/words";
import { CredentialForm } from "./CredentialForm";
import { PROVIDERS } from "./providers";
import classes from "./Settings.module.css";

/** The user's keys for model services and tools: written here, never read back. */
export function CredentialsPage() {
  useTitle("Credentials");
  const { data, error } = useQuery(credentialsQuery);
  return (
    <>
      <Title order={1} size="h3" mb={4}>
        Credentials
      </Title>
      <Text size="sm" className="quiet" mb="md" maw={640}>
        A secret is sealed for the gateway the moment it is stored: nobody, not even you, reads it
        back. Agents work without it; the gateway puts it on their calls.
      </Text>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md" className={classes.grid}>
        <Panel title="Stored">
          {error && <Trouble error={error} />}
          {!data && !error && <Skeleton height={80} />}
          {data?.credentials.length === 0 && (
            <Text size="sm" className="quiet">
              None yet. Ollama on this machine and the test model need none.
            </Text>
          )}
          <ul className={classes.list}>
            {data?.credentials.map((one) => (
              <Stored key={one.name} credential={one} />
            ))}
          </ul>
        </Panel>
        <Panel title="Store one">
          <CredentialForm />
        </Panel>
      </SimpleGrid>
    </>
  );
}

function Stored({ credential }: { credential: CredentialInfo }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () =>
      api.DELETE("/api/v1/credentials/{name}", { params: { path: { name: credential.name } } }),
    onSuccess: () => queries.invalidateQueries(credentialsQuery),
  });
  return (
    <li className={classes.item}>
      <Group justify="space-between" wrap="nowrap">
        <div>
          <Text size="sm" fw={560} className="foreign">
            {credential.name}
          </Text>
          <Text size="xs" className="quiet foreign">
            {PROVIDERS[credential.provider].label}
            {credential.base_url && ` · ${credential.base_url}`}
            {credential.region && ` · ${credential.region}`} · stored{" "}
            {moment(credential.updated_at, serverNow())}
          </Text>
        </div>
        <ActionIcon
          variant="subtle"
          color="red"
          onClick={() => setAsking(true)}
          aria-label={`Remove ${credential.name}`}
        >
          <Trash2 size={16} />
        </ActionIcon>
      </Group>
      {asking && (
        <Confirm
          title={`Remove ${credential.name}?`}
          action="Remove"
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate()}
          onClose={() => setAsking(false)}
        >
          The secret cannot be read back or restored. Tests that name {credential.name} fail until
          you store it again.
        </Confirm>
      )}
    </li>
  );
}
