import { Button } from "@mantine/core";
import { Wrench } from "lucide-react";
import { visible } from "../shared/ansi";
import classes from "./FailureCard.module.css";

interface FixActionProps {
  label: string;
  busy: boolean;
  onClick: () => void;
}

/** The button that makes what a failure offers and runs the test again. */
export function FixAction({ label, busy, onClick }: FixActionProps) {
  return (
    <div>
      <Button
        classNames={{ root: classes.fix, label: classes.fixLabel }}
        leftSection={<Wrench size={15} />}
        loading={busy}
        onClick={onClick}
      >
        {visible(label)} and run again
      </Button>
    </div>
  );
}
