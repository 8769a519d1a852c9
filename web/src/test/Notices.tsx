import { Text } from "@mantine/core";
import type { NoticeEvent } from "../api/schema";
import { visible } from "../shared/ansi";
import { Panel } from "../shared/Panel";
import type { At } from "./journal";

/** What programs read of the agent's end; people see it as the failure and the result. */
const FOR_PROGRAMS = new Set(["agent.error", "agent.exit", "agent.entry"]);
const MOST_SHOWN = 30;

/** What is worth knowing and did not end the test. Nothing where there is nothing. */
export function Notices({ notices }: { notices: readonly At<NoticeEvent>[] }) {
  const shown = notices.filter(({ data }) => data.message && !FOR_PROGRAMS.has(data.code));
  if (shown.length === 0) return null;
  return (
    <Panel title="Notices">
      {shown.slice(-MOST_SHOWN).map(({ number, data }) => (
        <Text key={number} size="sm" className="foreign" mb={4}>
          {visible(data.message)}
        </Text>
      ))}
    </Panel>
  );
}
