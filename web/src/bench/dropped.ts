const MOST_ENTRIES = 5_000;
const NEVER = ["__pycache__", "node_modules"];

/** Everything that is dropped; files of folders have their path as their name. */
export async function droppedFiles(data: DataTransfer): Promise<File[]> {
  // Both lists are empty once the event is over, so they are read before anything is awaited.
  const plain = Array.from(data.files);
  const entries = Array.from(data.items ?? []).map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  const found: File[] = [];
  for (const entry of entries)
    if (entry !== null) await collect(entry, found, { left: MOST_ENTRIES });
  return found;
}

/** Hidden folders are not looked into; of hidden files only .gitignore is of use. */
async function collect(
  entry: FileSystemEntry,
  found: File[],
  room: { left: number },
): Promise<void> {
  room.left -= 1;
  if (room.left < 0) throw new Error(`The folder holds more than ${MOST_ENTRIES} files.`);
  if (entry.isFile) {
    if (entry.name.startsWith(".") && entry.name !== ".gitignore") return;
    const file = await fileOf(entry as FileSystemFileEntry);
    found.push(new File([file], entry.fullPath.replace(/^\/+/, ""), { type: file.type }));
  } else if (!entry.name.startsWith(".") && !NEVER.includes(entry.name)) {
    for (const child of await childrenOf(entry as FileSystemDirectoryEntry))
      await collect(child, found, room);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A browser hands over a folder's entries in pieces; an empty one is the last. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const found: FileSystemEntry[] = [];
  while (found.length <= MOST_ENTRIES) {
    const piece = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (piece.length === 0) break;
    found.push(...piece);
  }
  return found;
}
