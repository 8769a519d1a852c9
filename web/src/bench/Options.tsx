import { NumberInput, SimpleGrid, Switch, TagsInput, TextInput, Title } from "@mantine/core";
import type { ReactNode } from "react";
import type { FieldProblem, Limits } from "../api/schema";
import classes from "./Bench.module.css";
import { CredentialChooser } from "./CredentialChooser";
import { changeDraft, type Draft } from "./draft";
import { idOf } from "./problems";
import { problemOfField } from "./useChecks";
import { Variables } from "./Variables";

interface OptionsProps {
  draft: Draft;
  problems: readonly FieldProblem[];
}

/** What most tests leave as it is. */
export default function Options({ draft, problems }: OptionsProps) {
  const wrong = (field: string) => problemOfField(problems, field);
  return (
    <>
      <Group title="Limits">
        <LimitFields draft={draft} problems={problems} />
      </Group>
      <Group title="Credential and hosts">
        <Access draft={draft} wrong={wrong} />
      </Group>
      <Group title="Variables and secrets">
        <Variables draft={draft} problems={problems} />
      </Group>
      <Group title="Name, Python, entry point">
        <More draft={draft} wrong={wrong} />
      </Group>
    </>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className={classes.group}>
      <Title order={2} className={classes.groupTitle}>
        {title}
      </Title>
      {children}
    </fieldset>
  );
}
const LIMITS: readonly { name: keyof Limits; label: string; usual: number; step?: number }[] = [
  { name: "memory_mb", label: "Memory (MiB)", usual: 512 },
  { name: "cpus", label: "CPU cores", usual: 1, step: 0.5 },
  { name: "processes", label: "Processes", usual: 128 },
  { name: "disk_mb", label: "Disk (MiB)", usual: 64 },
  { name: "model_calls", label: "Model calls", usual: 1000 },
  { name: "log_kb", label: "Log (KiB)", usual: 4096 },
];

function LimitFields({ draft, problems }: OptionsProps) {
  const set = (name: keyof Limits, value: string | number) => {
    const { [name]: _, ...others } = draft.limits;
    changeDraft({ limits: typeof value === "number" ? { ...others, [name]: value } : others });
  };
  return (
    <SimpleGrid cols={2} spacing="sm">
      <NumberInput
        id={idOf("timeout_seconds")}
        label="Timeout (s)"
        min={1}
        value={draft.timeout_seconds}
        onChange={(value) => typeof value === "number" && changeDraft({ timeout_seconds: value })}
        error={problemOfField(problems, "timeout_seconds")}
      />
      {LIMITS.map(({ name, label, usual, step = 1 }) => (
        <NumberInput
          key={name}
          id={idOf(`limits.${name}`)}
          label={label}
          min={0}
          step={step}
          placeholder={String(usual)}
          value={draft.limits[name] ?? ""}
          onChange={(value) => set(name, value)}
          error={problemOfField(problems, `limits.${name}`)}
        />
      ))}
    </SimpleGrid>
  );
}

type FieldsProps = { draft: Draft; wrong: (field: string) => string | null };

function Access({ draft, wrong }: FieldsProps) {
  return (
    <>
      <CredentialChooser draft={draft} error={wrong("credential")} />
      <TagsInput
        id={idOf("egress")}
        label="Hosts that the agent may reach"
        description="As host:port, over TLS; models need none"
        placeholder={draft.egress.length ? "" : "api.example.com:443"}
        value={draft.egress}
        onChange={(egress) => changeDraft({ egress })}
        error={wrong("egress")}
      />
      <TagsInput
        label="Model service may"
        description="Beyond answering: hosted-tools, stored-objects, routing, urls=HOST, s3=BUCKET"
        placeholder={draft.allow.length ? "" : "urls=example.com"}
        value={draft.allow}
        onChange={(allow) => changeDraft({ allow })}
        error={wrong("allow")}
      />
    </>
  );
}

function More({ draft, wrong }: FieldsProps) {
  const text = (field: "name" | "python" | "entry_point") => ({
    id: idOf(field),
    value: draft[field] ?? "",
    error: wrong(field),
    mb: "sm",
    onChange: (event: { currentTarget: { value: string } }) =>
      changeDraft({ [field]: event.currentTarget.value || null }),
  });
  return (
    <>
      <TextInput label="Name" placeholder="To find the test by" {...text("name")} />
      <TextInput label="Python version" placeholder="The server's usual one" {...text("python")} />
      <TextInput label="Entry point" placeholder="Found by itself" {...text("entry_point")} />
      <Switch
        label="Record the model calls, for replays"
        checked={draft.record}
        onChange={(event) => changeDraft({ record: event.currentTarget.checked })}
      />
    </>
  );
}
