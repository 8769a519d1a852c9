import { asRequirements, asText } from "./decode";
import { addToDraft } from "./draft";
import { ignoring } from "./gitignore";
import { belowTop, type Project, projectOf } from "./project";

/** Contents, by path. */
type Found = Record<string, Uint8Array>;

const IGNORE = ".gitignore";
const REQUIREMENTS = "requirements.txt";
const MOST_BYTES = 4_000_000;

/** What became of files that were added. */
export interface Added extends Project {
  /** Names of files that are no text. */
  left: string[];
  /** Names of files that .gitignore excludes. */
  ignored: string[];
}

/**
 * Put files into the draft, the contents of zip archives included. A file of a folder that was
 * dropped has its path as its name. Hidden files, and what a `.gitignore` among them excludes, are
 * left out. The agent of a folder becomes the entry point, its dependencies the requirements.
 */
export async function addFiles(files: File[]): Promise<Added> {
  const groups: Found[] = [];
  const loose: Found = {};
  let room = MOST_BYTES;
  const dropped = await wanted(files);
  for (const file of dropped.files) {
    if (file.size > MOST_BYTES) throw new Error(`${file.name} is larger than 4 MB.`);
    room -= file.size;
    if (room < 0 && file.name.includes("/")) throw new Error("The folder holds more than 4 MB.");
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (isArchive(file.name)) groups.push(await unpacked(bytes));
    else loose[file.name] = bytes;
  }
  groups.unshift(loose);
  const texts: Record<string, string> = {};
  const left: string[] = [];
  const ignored = [...dropped.ignored];
  for (const group of groups) {
    const kept = withoutIgnored(group);
    ignored.push(...kept.ignored);
    const read = textsOf(kept.found);
    left.push(...read.left);
    Object.assign(texts, belowTop(read.texts));
  }
  const together = files.some((file) => file.name.includes("/") || isArchive(file.name));
  const project = projectOf(texts, together);
  const { [REQUIREMENTS]: _, ...rest } = texts;
  addToDraft(rest, project.requirements, project.agent);
  return { ...project, left, ignored };
}

/** The files of folders that are looked at, before any of them is read whole. */
async function wanted(files: File[]): Promise<{ files: File[]; ignored: string[] }> {
  const rules: Record<string, string> = {};
  for (const file of files)
    if (isIgnoreFile(file.name) && file.size < 100_000) rules[file.name] = await file.text();
  const excluded = ignoring(rules);
  const shown = files.filter((file) => isWanted(file.name));
  return {
    files: shown.filter((file) => !excluded(file.name)),
    ignored: shown.filter((file) => excluded(file.name)).map((file) => file.name),
  };
}

function withoutIgnored(found: Found): { found: Found; ignored: string[] } {
  const entries = Object.entries(found);
  const rules = entries.filter(([name]) => isIgnoreFile(name));
  const excluded = ignoring(
    Object.fromEntries(rules.map(([name, bytes]) => [name, asText(bytes) ?? ""])),
  );
  const shown = entries.filter(([name]) => isWanted(name));
  return {
    found: Object.fromEntries(shown.filter(([name]) => !excluded(name))),
    ignored: shown.filter(([name]) => excluded(name)).map(([name]) => name),
  };
}

function textsOf(found: Found): { texts: Record<string, string>; left: string[] } {
  const texts: Record<string, string> = {};
  const left: string[] = [];
  for (const [name, content] of Object.entries(found)) {
    const isRequirements = name.split("/").at(-1) === REQUIREMENTS;
    const text = isRequirements ? asRequirements(content) : asText(content);
    if (text === null) left.push(name);
    else texts[name] = text;
  }
  return { texts, left };
}

/** The files of an archive. */
async function unpacked(archive: Uint8Array): Promise<Found> {
  const { unzipSync } = await import("fflate");
  let room = MOST_BYTES;
  return unzipSync(archive, {
    filter: (entry) => {
      if (!isWanted(entry.name) && !isIgnoreFile(entry.name)) return false;
      room -= entry.originalSize;
      if (room < 0) throw new Error("The archive holds more than 4 MB.");
      return true;
    },
  });
}

function isArchive(name: string): boolean {
  return /\.zip$/i.test(name);
}

function isIgnoreFile(name: string): boolean {
  return name.split("/").at(-1) === IGNORE;
}

const NEVER = ["__pycache__", "__MACOSX", "node_modules"];

/** No folders, nothing hidden (`.env` above all), nothing that Python or macOS left behind. */
export function isWanted(name: string): boolean {
  const parts = name.split("/");
  return !name.endsWith("/") && !parts.some((part) => part.startsWith(".") || NEVER.includes(part));
}
