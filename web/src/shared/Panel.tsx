import { Group, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Panel.module.css";

interface PanelProps {
  title: string;
  /** What stands on the right of the title. */
  tools?: ReactNode;
  flush?: boolean;
  children: ReactNode;
}

/** A titled part of a page. `flush` lets the content reach its edges. */
export function Panel({ title, tools, flush = false, children }: PanelProps) {
  return (
    <section className={`panel ${classes.panel}`} aria-label={title}>
      <Group className={classes.head} justify="space-between" gap="xs">
        <Title order={2} className={classes.title}>
          {title}
        </Title>
        {tools}
      </Group>
      <div className={flush ? undefined : classes.body}>{children}</div>
    </section>
  );
}
