import { Button, Group, Skeleton, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, PackageCheck } from "lucide-react";
import { api, body } from "../api/client";
import { packagesQuery } from "../api/queries";
import type { PackageInfo, TargetChoice, Test } from "../api/schema";
import { Panel } from "../shared/Panel";
import { saveBlob } from "../shared/saveText";
import { Tag } from "../shared/Tag";
import { Trouble } from "../shared/Trouble";
import { size } from "../shared/words";
import classes from "./Packages.module.css";

/** What a succeeded test can be deployed as: one package per target, made when it is wanted. */
export function Packages({ test }: { test: Test }) {
  const { data, error } = useQuery(packagesQuery(test.id));
  return (
    <Panel title="Deployment packages">
      {error && <Trouble error={error} />}
      {!data && !error && <Skeleton height={80} aria-label="The packages are loading" />}
      {data?.refused && (
        <Text size="sm" className="quiet foreign">
          {data.refused}
        </Text>
      )}
      {data && !data.refused && (
        <ul className={classes.list}>
          {data.targets.map((choice) => (
            <Target
              key={choice.target}
              testId={test.id}
              choice={choice}
              made={data.packages.find(({ target }) => target === choice.target)}
            />
          ))}
        </ul>
      )}
    </Panel>
  );
}

interface TargetProps {
  testId: string;
  choice: TargetChoice;
  made: PackageInfo | undefined;
}

function Target({ testId, choice, made }: TargetProps) {
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () =>
      body(
        api.POST("/api/v1/tests/{test_id}/packages", {
          params: { path: { test_id: testId } },
          body: { target: choice.target },
        }),
      ),
    onSuccess: () => queries.invalidateQueries(packagesQuery(testId)),
  });
  return (
    <li className={classes.target}>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text size="sm" fw={560}>
          {choice.title} {choice.default && !choice.refused && <Tag tone="good">fits best</Tag>}
        </Text>
        {!made && !choice.refused && (
          <Button
            size="compact-sm"
            variant={choice.default ? "filled" : "default"}
            leftSection={<PackageCheck size={14} />}
            loading={make.isPending}
            aria-label={`Make the package for ${choice.title}`}
            onClick={() => make.mutate()}
          >
            Make
          </Button>
        )}
        {made && <DownloadButton testId={testId} title={choice.title} made={made} />}
      </Group>
      {choice.refused && (
        <Text size="xs" className="quiet foreign">
          {choice.refused}
        </Text>
      )}
      {make.error && <Trouble error={make.error} />}
      {made && <Contents made={made} />}
    </li>
  );
}

/** Fetched with the token, which a plain link would not send. */
function DownloadButton({
  testId,
  title,
  made,
}: {
  testId: string;
  title: string;
  made: PackageInfo;
}) {
  const fetching = useMutation({
    mutationFn: async () => {
      const path = { test_id: testId, target: made.target };
      const answer = await api.GET("/api/v1/tests/{test_id}/packages/{target}.zip", {
        params: { path },
        parseAs: "blob",
      });
      saveBlob(made.file_name, answer.data as unknown as Blob);
    },
  });
  return (
    <Button
      size="compact-sm"
      leftSection={<Download size={14} />}
      loading={fetching.isPending}
      aria-label={`Download the package for ${title}`}
      onClick={() => fetching.mutate()}
    >
      {size(made.size_bytes)}
    </Button>
  );
}

function Contents({ made }: { made: PackageInfo }) {
  return (
    <>
      {made.notes.map((note) => (
        <Text key={note} size="xs" className="foreign" mt={4}>
          {note}
        </Text>
      ))}
      <details className={classes.contents}>
        <summary>{made.files.length} files</summary>
        <ul className="mono">
          {made.files.map((file) => (
            <li key={file} className="foreign">
              {file}
            </li>
          ))}
        </ul>
        <p className="mono foreign">SHA-256 {made.sha256}</p>
      </details>
    </>
  );
}
