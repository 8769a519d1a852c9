/** One line of a .gitignore: what it matches, whether folders only, and what it decides. */
interface Rule {
  below: string;
  pattern: RegExp;
  foldersOnly: boolean;
  excludes: boolean;
}

/** Whether a path is excluded by the given `.gitignore` texts, which are named by their paths. */
export function ignoring(texts: Record<string, string>): (path: string) => boolean {
  const rules = Object.entries(texts)
    .sort(([a], [b]) => a.split("/").length - b.split("/").length)
    .flatMap(([name, text]) => rulesOf(name.slice(0, name.lastIndexOf("/") + 1), text));
  return (path) => {
    const parts = path.split("/");
    return parts.some((_, at) =>
      decides(rules, parts.slice(0, at + 1).join("/"), at < parts.length - 1),
    );
  };
}

/** The last rule that matches counts. */
function decides(rules: Rule[], path: string, isFolder: boolean): boolean {
  let ignored = false;
  for (const { below, pattern, foldersOnly, excludes } of rules) {
    if ((isFolder || !foldersOnly) && path.startsWith(below))
      if (pattern.test(path.slice(below.length))) ignored = excludes;
  }
  return ignored;
}

function rulesOf(below: string, text: string): Rule[] {
  return text.split(/\r\n|\r|\n/).flatMap((line) => {
    let pattern = line.replace(/(?<!\\)\s+$/, "");
    const excludes = !pattern.startsWith("!");
    if (!excludes) pattern = pattern.slice(1);
    if (pattern === "" || pattern.startsWith("#")) return [];
    const foldersOnly = pattern.endsWith("/");
    pattern = pattern.replace(/\/+$/, "");
    const prefix = pattern.includes("/") ? "" : "(?:.*/)?";
    try {
      const expression = new RegExp(`^${prefix}${translated(pattern.replace(/^\/+/, ""))}$`, "s");
      return [{ below, pattern: expression, foldersOnly, excludes }];
    } catch {
      return []; // such a set of characters matches nothing
    }
  });
}

const TOKENS = /\*\*\/|\/\*\*$|\*+|\?|\[[!^]?\]?[^\]/]*\]|\\.|./gs;

function translated(pattern: string): string {
  return (pattern.match(TOKENS) ?? []).map(expressionOf).join("");
}

function expressionOf(token: string): string {
  if (token === "**/") return "(?:.*/)?";
  if (token === "/**") return "/.*";
  if (token.startsWith("*")) return "[^/]*";
  if (token === "?") return "[^/]";
  if (token.startsWith("[") && token.length > 2) {
    const negated = "!^".includes(token[1] ?? "");
    const inner = token.slice(negated ? 2 : 1, -1).replace(/[\\[\]^]/g, "\\$&");
    return `[${negated ? "^/" : ""}${inner}]`;
  }
  const character = token.length > 1 && token.startsWith("\\") ? token.slice(1) : token;
  return character.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
