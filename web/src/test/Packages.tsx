import { Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { packagesQuery } from "../api/queries";
import type { Test } from "../api/schema";
import { Panel } from "../shared/Panel";
import { Trouble } from "../shared/Trouble";
import classes from "./Packages.module.css";
import { PackageTarget } from "./PackageTarget";

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
            <PackageTarget
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
