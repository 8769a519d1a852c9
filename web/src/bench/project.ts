/** Text, by path. */
type Texts = Record<string, string>;

const AT_ROOT = ["agent.py", "__main__.py", "main.py", "app.py"];
const REQUIREMENTS = "requirements.txt";

/** What is known of files that were added together. */
export interface Project {
  /** The file to run; null where none or more than one could be meant. */
  agent: string | null;
  /** The files that could be meant, where there are several. */
  agents: string[];
  requirements?: string;
  /** Where the requirements come from. */
  source?: string;
}

/**
 * The agent of a folder or an archive, and the packages that it declares. Of files that did not
 * come together only agent.py is known to be one.
 */
export function projectOf(texts: Texts, together = true): Project {
  if (!together) {
    const agent = "agent.py" in texts ? "agent.py" : null;
    return { agent, agents: [], ...declared(texts, "agent.py") };
  }
  const names = Object.keys(texts).sort();
  const nested = (name: string) => names.filter((path) => path.endsWith(`/${name}`));
  const root = AT_ROOT.find((name) => name in texts);
  const agents = nested("agent.py").length > 0 ? nested("agent.py") : nested("__main__.py");
  const agent = root ?? (agents.length === 1 ? (agents[0] ?? null) : null);
  return {
    agent,
    agents: root === undefined && agents.length > 1 ? agents : [],
    ...declared(texts, agent ?? "agent.py"),
  };
}

/** What the nearest folder declares, from the agent's own upwards. */
function declared(texts: Texts, agent: string): { requirements?: string; source?: string } {
  const folders = agent.split("/").slice(0, -1);
  for (let depth = folders.length; depth >= 0; depth--) {
    const prefix = folders
      .slice(0, depth)
      .map((folder) => `${folder}/`)
      .join("");
    const listed = texts[prefix + REQUIREMENTS];
    if (listed !== undefined) return { requirements: listed, source: prefix + REQUIREMENTS };
    const found = dependenciesOf(texts[`${prefix}pyproject.toml`] ?? "");
    if (found !== null)
      return { requirements: found.join("\n"), source: `${prefix}pyproject.toml` };
  }
  return {};
}

/** The `dependencies` of a pyproject.toml's `[project]`; null where it declares none. */
export function dependenciesOf(text: string): string[] | null {
  const lines = text.split(/\r\n|\r|\n/);
  const start = lines.findIndex((line) => /^\s*\[\s*project\s*\]\s*(#.*)?$/.test(line));
  if (start < 0) return null;
  const length = lines
    .slice(start + 1)
    .findIndex((line) => /^\s*\[[^\]"',]+\]\s*(#.*)?$/.test(line));
  const section = lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
  const opening = /^[ \t]*dependencies[ \t]*=[ \t]*\[/m.exec(section);
  return opening === null ? null : strings(section.slice(opening.index + opening[0].length));
}

/** The strings of an array up to its closing bracket. */
function strings(text: string): string[] {
  const found: string[] = [];
  for (const [token] of text.matchAll(/#[^\n]*|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\]/g)) {
    if (token === "]") break;
    if (token.startsWith("'")) found.push(token.slice(1, -1));
    if (token.startsWith('"')) found.push(token.slice(1, -1).replace(/\\(["\\])/g, "$1"));
  }
  return found;
}

/** Paths below the one folder that all of them are in, unless it is a package itself. */
export function belowTop(texts: Texts): Texts {
  const names = Object.keys(texts);
  const [top] = names[0]?.split("/") ?? [];
  const prefix = `${top}/`;
  if (top === undefined || !names.every((name) => name.startsWith(prefix))) return texts;
  if (isPackage(top, texts)) return texts;
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name.slice(prefix.length), text]),
  );
}

function isPackage(top: string, texts: Texts): boolean {
  if (`${top}/__init__.py` in texts) return true;
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(top)) return false;
  const imported = new RegExp(`^[ \\t]*(?:from|import)[ \\t]+${top}(?:[. \\t\\r\\n]|$)`, "m");
  return Object.entries(texts).some(([name, text]) => name.endsWith(".py") && imported.test(text));
}
