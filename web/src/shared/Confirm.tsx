import { Button, Group, Modal, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Trouble } from "./Trouble";

interface ConfirmProps {
  title: string;
  /** What is lost when it is done. */
  children: ReactNode;
  /** The label of the button that does it. */
  action: string;
  /** There is nothing to do: only closing is possible. */
  disabled?: boolean;
  pending?: boolean;
  error?: Error | null;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something is done that cannot be undone. The safe answer has the focus. */
export function Confirm({
  title,
  children,
  action,
  disabled,
  pending,
  error,
  onConfirm,
  onClose,
}: ConfirmProps) {
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Close" }}>
      <Text size="sm" component="div">
        {children}
      </Text>
      {error && <Trouble error={error} />}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep
        </Button>
        <Button
          color="red"
          disabled={disabled ?? false}
          loading={pending ?? false}
          onClick={onConfirm}
        >
          {action}
        </Button>
      </Group>
    </Modal>
  );
}
