import { Spotlight, type SpotlightActionData } from "@mantine/spotlight";
import "@mantine/spotlight/styles.css";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import {
  Activity,
  FileCode,
  FlaskConical,
  History,
  KeyRound,
  Pencil,
  Play,
  RotateCcw,
  Square,
} from "lucide-react";
import type { ReactNode } from "react";
import { api, body } from "../api/client";
import { testQuery } from "../api/queries";
import { bringToBench } from "../bench/bringToBench";
import { useDraft } from "../bench/draft";
import { TEMPLATES } from "../bench/templates";
import { useRetry, useRun } from "../bench/useRun";
import { useEdit, useStop } from "../test/useDeeds";
import { visible } from "./ansi";

const RECENT = 8;
const SIZE = 18;

/** Everything that can be gone to or done, by typing a few letters of it. */
export default function Palette() {
  const queries = useQueryClient();
  const groups = [
    { group: "This test", actions: useThisTest() },
    { group: "Places", actions: usePlaces() },
    { group: "Recent tests", actions: useRecent() },
    { group: "Do", actions: useBench() },
  ];
  return (
    <Spotlight
      actions={groups.filter(({ actions }) => actions.length > 0)}
      shortcut={null}
      attributes={{ content: { "aria-label": "Commands" } }}
      onSpotlightOpen={() => void queries.invalidateQueries({ queryKey: ["recent"] })}
      scrollable
      maxHeight={420}
      nothingFound="Nothing is called that"
      searchProps={{ placeholder: "Go to, run, start from …", "aria-label": "Go to or do" }}
    />
  );
}

/** What can be done with the test whose page is open, if one is. */
function useThisTest(): SpotlightActionData[] {
  const { testId: id = "" } = useParams({ strict: false });
  const { data: test } = useQuery({ ...testQuery(id), enabled: id !== "" });
  const stop = useStop(id);
  const retry = useRetry(id);
  const edit = useEdit();
  if (test === undefined) return [];
  const change: SpotlightActionData =
    test.phase === "completed"
      ? deed("Retry this test", <RotateCcw size={SIZE} />, () => retry.mutate({}))
      : deed("Stop this test", <Square size={SIZE} />, () => stop.mutate());
  return [change, deed("Edit this test and run again", <Pencil size={SIZE} />, () => edit(test))];
}

function usePlaces(): SpotlightActionData[] {
  const navigate = useNavigate();
  return [
    deed("Bench", <FlaskConical size={SIZE} />, () => void navigate({ to: "/" })),
    deed("History", <History size={SIZE} />, () => void navigate({ to: "/tests" })),
    deed("Credentials", <KeyRound size={SIZE} />, () => void navigate({ to: "/credentials" })),
    deed("Status", <Activity size={SIZE} />, () => void navigate({ to: "/status" })),
  ];
}

function useRecent(): SpotlightActionData[] {
  const navigate = useNavigate();
  const recent = useQuery({
    queryKey: ["recent"],
    queryFn: () => body(api.GET("/api/v1/tests", { params: { query: { limit: RECENT } } })),
  });
  return (recent.data?.tests ?? []).map((test) => ({
    id: test.id,
    label: visible(test.name ?? test.query),
    description: test.outcome ?? test.phase,
    onClick: () => void navigate({ to: "/tests/$testId", params: { testId: test.id } }),
  }));
}

function useBench(): SpotlightActionData[] {
  const navigate = useNavigate();
  const draft = useDraft();
  const run = useRun();
  return [
    {
      ...deed("Run what is at the bench", <Play size={SIZE} />, () => run.mutate(draft)),
      description: visible(draft.query),
    },
    ...TEMPLATES.map(({ name, parts }) =>
      deed(`Start from ${name}`, <FileCode size={SIZE} />, () => {
        bringToBench({ ...draft, ...parts }, `Started from ${name}`);
        void navigate({ to: "/" });
      }),
    ),
  ];
}

function deed(label: string, leftSection: ReactNode, onClick: () => void) {
  return { id: label, label, leftSection, onClick };
}
