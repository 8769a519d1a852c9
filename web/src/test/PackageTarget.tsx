import { Button, Group, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Download, PackageCheck } from "lucide-react";
import { api, body } from "../api/client";
import { packagesQuery } from "../api/queries";
import type { PackageInfo, TargetChoice } from "../api/schema";
import { visible } from "../shared/ansi";
import { saveBlob } from "../shared/saveText";
import { Tag } from "../shared/Tag";
import { Trouble } from "../shared/Trouble";
import { size } from "../shared/words";
import classes from "./Packages.module.css";
import { TriedOut } from "./TriedOut";

interface PackageTargetProps {
  testId: string;
  choice: TargetChoice;
  made: PackageInfo | undefined;
}

/** One target: why there can be no package for it, the button that makes one, or the package. */
export function PackageTarget({ testId, choice, made }: PackageTargetProps) {
  const make = useMake(testId, choice.target);
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
      {made && (
        <>
          <TriedOut rehearsal={made.rehearsal} />
          <Contents made={made} />
        </>
      )}
    </li>
  );
}

function useMake(testId: string, target: TargetChoice["target"]) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      body(
        api.POST("/api/v1/tests/{test_id}/packages", {
          params: { path: { test_id: testId } },
          body: { target },
        }),
      ),
    onSuccess: () => queries.invalidateQueries(packagesQuery(testId)),
  });
}

interface DownloadButtonProps {
  testId: string;
  title: string;
  made: PackageInfo;
}

/** Fetched with the token, which a plain link would not send. */
function DownloadButton({ testId, title, made }: DownloadButtonProps) {
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
      aria-label={`Download the package for ${title}, ${size(made.size_bytes)}`}
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
          {visible(note)}
        </Text>
      ))}
      <details className={classes.contents}>
        <summary>{made.files.length} files</summary>
        <ul className="mono">
          {made.files.map((file) => (
            <li key={file} className="foreign">
              {visible(file)}
            </li>
          ))}
        </ul>
        <p className="mono foreign">SHA-256 {made.sha256}</p>
      </details>
    </>
  );
}
