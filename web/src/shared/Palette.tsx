import { Spotlight, type SpotlightActionData } from "@mantine/spotlight";
import "@mantine/spotlight/styles.css";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Activity, FileCode, FlaskConical, History, KeyRound } from "lucide-react";
import type { ReactNode } from "react";
import { api, body } from "../api/client";
import { bringToBench } from "../bench/bringToBench";
import { useDraft } from "../bench/draft";
import { TEMPLATES } from "../bench/templates";
import { useRun } from "../bench/useRun";
import { visible } from "./ansi";

const RECENT = 8;

/** Everything that can be gone to or done, by typing a few letters of it. */
export default function Palette() {
  const navigate = useNavigate();
  const draft = useDraft();
  const run = useRun();
  const recent = useQuery({
    queryKey: ["recent"],
    queryFn: () => body(api.GET("/api/v1/tests", { params: { query: { limit: RECENT } } })),
  });

  const places: SpotlightActionData[] = [
    place("Bench", <FlaskConical size={18} />, () => void navigate({ to: "/" })),
    place("History", <History size={18} />, () => void navigate({ to: "/tests" })),
    place("Credentials", <KeyRound size={18} />, () => void navigate({ to: "/credentials" })),
    place("Status", <Activity size={18} />, () => void navigate({ to: "/status" })),
  ];
  const deeds: SpotlightActionData[] = [
    {
      id: "run",
      label: "Run what is at the bench",
      description: visible(draft.query),
      onClick: () => run.mutate(draft),
    },
    ...TEMPLATES.map(({ name, parts }) => ({
      id: `start-${name}`,
      label: `Start from ${name}`,
      leftSection: <FileCode size={18} />,
      onClick: () => {
        bringToBench({ ...draft, ...parts }, `Started from ${name}`);
        void navigate({ to: "/" });
      },
    })),
  ];
  const tests: SpotlightActionData[] = (recent.data?.tests ?? []).map((test) => ({
    id: test.id,
    label: visible(test.name ?? test.query),
    description: test.outcome ?? test.phase,
    onClick: () => void navigate({ to: "/tests/$testId", params: { testId: test.id } }),
  }));
  return (
    <Spotlight
      actions={[
        { group: "Places", actions: places },
        { group: "Recent tests", actions: tests },
        { group: "Do", actions: deeds },
      ]}
      shortcut={null}
      scrollable
      maxHeight={420}
      nothingFound="Nothing is called that"
      searchProps={{ placeholder: "Go to, run, start from …", "aria-label": "Go to or do" }}
    />
  );
}

function place(label: string, icon: ReactNode, onClick: () => void): SpotlightActionData {
  return { id: `to-${label}`, label, leftSection: icon, onClick };
}
