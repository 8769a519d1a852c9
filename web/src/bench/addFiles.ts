import { asRequirements, asText } from "./decode";
import { addToDraft } from "./draft";

/** Text, by path. */
type Texts = Record<string, string>;

const REQUIREMENTS = "requirements.txt";
const MOST_BYTES = 4_000_000;

/**
 * Put files into the draft, the contents of zip archives included; the names of those left out
 * because they are no text. A `requirements.txt` becomes the requirements.
 */
export async function addFiles(files: File[]): Promise<string[]> {
  const texts: Texts = {};
  const left: string[] = [];
  for (const file of files) {
    if (file.size > MOST_BYTES) throw new Error(`${file.name} is larger than 4 MB.`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const found = /\.zip$/i.test(file.name) ? await unpacked(bytes) : { [file.name]: bytes };
    for (const [name, content] of Object.entries(found)) {
      const text = name === REQUIREMENTS ? asRequirements(content) : asText(content);
      if (text === null) left.push(name);
      else texts[name] = text;
    }
  }
  const { [REQUIREMENTS]: requirements, ...rest } = texts;
  addToDraft(rest, requirements);
  return left;
}

/** The files of an archive, below the one folder that it may have. */
async function unpacked(archive: Uint8Array): Promise<Record<string, Uint8Array>> {
  const { unzipSync } = await import("fflate");
  let room = MOST_BYTES;
  const found = unzipSync(archive, {
    filter: (entry) => {
      room -= entry.originalSize;
      if (room < 0) throw new Error("The archive holds more than 4 MB.");
      return isWanted(entry.name);
    },
  });
  const names = Object.keys(found);
  const [top] = names[0]?.split("/") ?? [];
  const prefix = `${top}/`;
  const cut = names.every((name) => name.startsWith(prefix)) ? prefix.length : 0;
  return Object.fromEntries(Object.entries(found).map(([name, bytes]) => [name.slice(cut), bytes]));
}

/** No folders, nothing hidden (`.env` above all), nothing that Python or macOS left behind. */
function isWanted(name: string): boolean {
  const parts = name.split("/");
  return (
    !name.endsWith("/") &&
    !parts.some((part) => part.startsWith(".") || part === "__pycache__" || part === "__MACOSX")
  );
}
