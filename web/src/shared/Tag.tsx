import type { ReactNode } from "react";
import classes from "./Tag.module.css";

export type Tone = "good" | "bad" | "warn" | "busy" | "quiet";

/** A word in a colour, that can be read in both schemes. */
export function Tag({
  tone,
  icon,
  children,
}: {
  tone: Tone;
  icon?: ReactNode;
  children: ReactNode;
}) {
  return (
    <span className={classes.tag} data-tone={tone}>
      {icon}
      {children}
    </span>
  );
}
