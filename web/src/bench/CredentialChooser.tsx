import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { credentialsQuery } from "../api/queries";
import { changeDraft, type Draft } from "./draft";

const NewCredential = lazy(() => import("./NewCredential"));

/** Which of the stored keys the gateway puts on the model calls; a new one can be stored here. */
export function CredentialChooser({ draft, error }: { draft: Draft; error: string | null }) {
  const { data } = useQuery(credentialsQuery);
  const [storing, setStoring] = useState(false);
  const usable = data?.credentials.filter((one) => one.provider !== "secret") ?? [];
  return (
    <>
      <Select
        label="Credential"
        description="Empty: the one called default, else the only one"
        placeholder={data && usable.length === 0 ? "None is stored" : "The usual one"}
        data={usable.map((one) => ({ value: one.name, label: `${one.name} (${one.provider})` }))}
        value={draft.credential ?? null}
        onChange={(credential) => changeDraft({ credential })}
        error={error}
        nothingFoundMessage="None is stored"
        clearable
        mb={6}
      />
      <Button
        size="compact-sm"
        variant="light"
        leftSection={<Plus size={14} />}
        mb="sm"
        onClick={() => setStoring(true)}
      >
        Store a credential
      </Button>
      {storing && (
        <Suspense>
          <NewCredential onClose={() => setStoring(false)} />
        </Suspense>
      )}
    </>
  );
}
