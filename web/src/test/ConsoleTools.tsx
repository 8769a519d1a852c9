import { ActionIcon, Group, TextInput } from "@mantine/core";
import { ArrowDownToLine, ChevronDown, ChevronUp, Download, Search, WrapText } from "lucide-react";
import { saveText } from "../shared/saveText";
import classes from "./Console.module.css";
import type { Told } from "./journal";
import type { LineSearch } from "./useSearch";

interface ConsoleToolsProps {
  testId: string;
  told: Told;
  search: LineSearch;
  wrap: boolean;
  follow: boolean;
  onWrap: (wrap: boolean) => void;
  onFollow: (follow: boolean) => void;
}

/** Search, wrapping, following and the download of the console. */
export function ConsoleTools(props: ConsoleToolsProps) {
  const { testId, told, wrap, follow, onWrap, onFollow } = props;
  const save = () => saveText(`${testId}.log`, told.lines.map((line) => `${line.text}\n`).join(""));
  return (
    <Group gap={4} wrap="wrap" justify="flex-end">
      <SearchField search={props.search} />
      <ActionIcon
        variant={wrap ? "light" : "subtle"}
        color="gray"
        aria-label="Wrap long lines"
        aria-pressed={wrap}
        onClick={() => onWrap(!wrap)}
      >
        <WrapText size={15} />
      </ActionIcon>
      <ActionIcon
        variant={follow ? "light" : "subtle"}
        color="gray"
        aria-label="Follow the newest line"
        aria-pressed={follow}
        onClick={() => onFollow(!follow)}
      >
        <ArrowDownToLine size={15} />
      </ActionIcon>
      <ActionIcon variant="subtle" color="gray" aria-label="Download the log" onClick={save}>
        <Download size={15} />
      </ActionIcon>
    </Group>
  );
}

function SearchField({ search }: { search: LineSearch }) {
  const { found, place } = search;
  return (
    <>
      <span className={classes.found} aria-live="polite">
        {search.query && (found > 0 ? `${place} of ${found}` : "not found")}
      </span>
      <TextInput
        size="xs"
        className={classes.search}
        placeholder="Search"
        aria-label="Search the console"
        leftSection={<Search size={13} />}
        value={search.text}
        onChange={(event) => search.setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") search.go(event.shiftKey ? -1 : 1);
          if (event.key === "Escape") search.setText("");
        }}
      />
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label="Previous match"
        disabled={found === 0}
        onClick={() => search.go(-1)}
      >
        <ChevronUp size={15} />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label="Next match"
        disabled={found === 0}
        onClick={() => search.go(1)}
      >
        <ChevronDown size={15} />
      </ActionIcon>
    </>
  );
}
