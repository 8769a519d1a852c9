import { ActionIcon, Button, FileButton, Group, Menu, Modal, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { EllipsisVertical, FilePlus, Trash2, Upload } from "lucide-react";
import { type FormEvent, useState } from "react";
import { inWords } from "../api/problem";
import { addFiles } from "./addFiles";
import { changeDraft, type Draft } from "./draft";

interface FileMenuProps {
  draft: Draft;
  open: string;
  onOpen: (name: string) => void;
}

/** Add a file, take some from this computer, remove the one that is open. */
export function FileMenu({ draft, open, onOpen }: FileMenuProps) {
  const [naming, setNaming] = useState(false);
  const removable = open !== "agent.py" && open in draft.files;

  function remove() {
    const { [open]: _, ...files } = draft.files;
    changeDraft({ files });
  }

  return (
    <>
      <FileButton multiple onChange={(files) => void take(files)}>
        {(upload) => (
          <Menu position="bottom-end" keepMounted={false}>
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label="Files menu">
                <EllipsisVertical size={18} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<FilePlus size={15} />} onClick={() => setNaming(true)}>
                New file …
              </Menu.Item>
              <Menu.Item leftSection={<Upload size={15} />} onClick={() => upload.onClick()}>
                Add files or a zip …
              </Menu.Item>
              {removable && (
                <Menu.Item color="red" leftSection={<Trash2 size={15} />} onClick={remove}>
                  Remove {open}
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        )}
      </FileButton>
      {naming && (
        <NewFile
          taken={Object.keys(draft.files)}
          onClose={() => setNaming(false)}
          onName={(name) => {
            changeDraft({ files: { ...draft.files, [name]: "" } });
            onOpen(name);
          }}
        />
      )}
    </>
  );
}

/** Put these files of the user's computer into the draft, and say what could not be. */
export async function take(files: File[]): Promise<void> {
  try {
    const left = await addFiles(files);
    if (left.length > 0)
      notifications.show({ title: "Left out, since they are no text", message: left.join(", ") });
  } catch (error) {
    notifications.show({ color: "red", title: "Not added", message: inWords(error).message });
  }
}

interface NewFileProps {
  taken: string[];
  onClose: () => void;
  onName: (name: string) => void;
}

function NewFile({ taken, onClose, onName }: NewFileProps) {
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
