import { ActionIcon, FileButton, Menu } from "@mantine/core";
import { EllipsisVertical, FilePlus, Trash2, Upload } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { agentOf, changeDraft, type Draft } from "./draft";
import { take } from "./take";

const NewFile = lazy(() => import("./NewFile"));

interface FileMenuProps {
  draft: Draft;
  open: string;
  onOpen: (name: string) => void;
}

/** Add a file, take some from this computer, remove the one that is open. */
export function FileMenu({ draft, open, onOpen }: FileMenuProps) {
  const [naming, setNaming] = useState(false);
  const removable = open !== agentOf(draft) && open in draft.files;

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
        <Suspense>
          <NewFile
            taken={Object.keys(draft.files)}
            onClose={() => setNaming(false)}
            onName={(name) => {
              changeDraft({ files: { ...draft.files, [name]: "" } });
              onOpen(name);
            }}
          />
        </Suspense>
      )}
    </>
  );
}
