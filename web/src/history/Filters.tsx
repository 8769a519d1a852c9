import { Autocomplete, Group, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useState } from "react";
import type { HistoryFilter } from "../api/queries";
import type { Outcome } from "../api/schema";

const OUTCOMES = [
  { value: "", label: "All" },
  { value: "succeeded", label: "Succeeded" },
  { value: "failed", label: "Failed" },
  { value: "timed_out", label: "Timed out" },
  { value: "cancelled", label: "Cancelled" },
];

interface FiltersProps {
  filter: HistoryFilter;
  /** Models of tests that are shown: what may be chosen, besides any that is typed. */
  models: readonly string[];
}

/** Narrows the history down. What is chosen is in the address, so it can be kept and shared. */
export function Filters({ filter, models }: FiltersProps) {
  const navigate = useNavigate();
  const [text, setText] = useState(filter.q ?? "");
  const narrow = (changes: HistoryFilter) =>
    void navigate({ to: "/tests", search: { ...filter, ...changes }, replace: true });
  const [model, setModel] = useState(filter.model ?? "");
  const modelSoon = useDebouncedCallback(
    (typed: string) => narrow({ model: typed.trim() || undefined }),
    250,
  );
  const narrowSoon = useDebouncedCallback((q: string) => narrow({ q: q || undefined }), 250);

  return (
    <Group gap="sm" mb="sm">
      <TextInput
        aria-label="Search the history"
        placeholder="Search in names, queries and ids"
        leftSection={<Search size={15} />}
        value={text}
        flex="1 1 220px"
        onChange={(event) => {
          setText(event.currentTarget.value);
          narrowSoon(event.currentTarget.value);
        }}
      />
      <Autocomplete
        aria-label="Model"
        placeholder="Any model"
        data={[...new Set(models)].sort()}
        value={model}
        w={190}
        clearable
        onChange={(typed) => {
          setModel(typed);
          modelSoon(typed);
        }}
      />
      <SegmentedControl
        aria-label="Outcome"
        data={OUTCOMES}
        value={filter.outcome ?? ""}
        onChange={(outcome) => narrow({ outcome: (outcome || undefined) as Outcome | undefined })}
        style={{ maxWidth: "100%", overflowX: "auto" }}
      />
    </Group>
  );
}
