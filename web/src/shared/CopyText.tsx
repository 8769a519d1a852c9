import { ActionIcon, CopyButton } from "@mantine/core";
import { Check, Copy } from "lucide-react";

/** Copies a text. */
export function CopyText({ text, label }: { text: string; label: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <ActionIcon variant="subtle" color="gray" onClick={copy} aria-label={label}>
          {copied ? <Check size={15} /> : <Copy size={15} />}
        </ActionIcon>
      )}
    </CopyButton>
  );
}
