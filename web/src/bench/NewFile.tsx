import { Button, Group, Modal, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

interface NewFileProps {
  taken: string[];
  onClose: () => void;
  onName: (name: string) => void;
}

/** Asks for the path of a new file. */
export default function NewFile({ taken, onClose, onName }: NewFileProps) {
  const [name, setName] = useState("");
  const exists = taken.includes(name.trim());

  function submit(event: FormEvent) {
    event.preventDefault();
    if (exists || name.trim() === "") return;
    onName(name.trim());
    onClose();
  }

  return (
    <Modal opened onClose={onClose} title="New file" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit}>
        <TextInput
          label="Path"
          placeholder="tools/search.py"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={exists ? "There is a file of that name." : undefined}
          data-autofocus
        />
        <Group justify="flex-end" mt="md">
          <Button type="submit">Add</Button>
        </Group>
      </form>
    </Modal>
  );
}
