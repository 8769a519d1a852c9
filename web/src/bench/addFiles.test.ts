// @vitest-environment happy-dom
import { zipSync } from "fflate";
import { beforeEach, expect, test } from "vitest";
import { addFiles } from "./addFiles";
import { fresh, replaceDraft } from "./draft";

const bytes = (text: string) => new TextEncoder().encode(text);
const file = (name: string, content: Uint8Array | string) => new File([content as BlobPart], name);
const zip = (files: Record<string, string>) =>
  file(
    "a.zip",
    zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, bytes(text)]))),
  );
const added = () => {
  const { files, requirements } = replaceDraft(fresh());
  const { "agent.py": _, ...rest } = files;
  return { rest, requirements };
};

beforeEach(() => void replaceDraft(fresh()));

test("an archive is unpacked below its one folder, without what is hidden or left behind", async () => {
  const names = ["my/b.py", "my/tools/c.py", "my/.env", "my/.git/x", "my/__pycache__/b.pyc"];
  await addFiles([
    zip({
      ...Object.fromEntries(names.map((name) => [name, name])),
      "my/requirements.txt": "rich",
    }),
  ]);
  expect(added()).toEqual({
    rest: { "b.py": "my/b.py", "tools/c.py": "my/tools/c.py" },
    requirements: "rich",
  });
});

test("an archive without a folder of its own keeps its paths", async () => {
  await addFiles([zip({ "b.py": "1", "tools/c.py": "2" })]);
  expect(added().rest).toEqual({ "b.py": "1", "tools/c.py": "2" });
});

test("what is no text is left out, and said", async () => {
  const { left } = await addFiles([
    file("p.png", new Uint8Array([0x89, 0xff])),
    file("z", "a\0b"),
    file("d.py", "é"),
  ]);
  expect(left).toEqual(["p.png", "z"]);
  expect(added().rest).toEqual({ "d.py": "é" });
});

test("what is too large is refused whole, before it is unpacked", async () => {
  await expect(addFiles([file("big.py", "x".repeat(4_000_001))])).rejects.toThrow(
    "larger than 4 MB",
  );
  await expect(addFiles([zip({ "bomb.py": "0".repeat(4_000_001) })])).rejects.toThrow(
    "more than 4 MB",
  );
  expect(added().rest).toEqual({});
});

test("an archive that is none is refused", async () => {
  await expect(addFiles([file("a.zip", "not a zip")])).rejects.toThrow();
});

const utf16 = (text: string, little: boolean) => {
  const units = new DataView(new ArrayBuffer(text.length * 2));
  [...text].forEach((unit, at) => {
    units.setUint16(at * 2, unit.charCodeAt(0), little);
  });
  return new Uint8Array(units.buffer);
};

test.each([
  ["UTF-16 of PowerShell", utf16("\ufeffidna\r\n", true), "idna\r\n"],
  ["UTF-16, big end first", utf16("\ufeffidna\r\n", false), "idna\r\n"],
  ["UTF-16 without a mark", utf16("idna\n", true), "idna\n"],
  ["UTF-8 with a mark", bytes("\ufeffidna\n"), "idna\n"],
  ["Windows-1252", new Uint8Array([...bytes("# caf"), 0xe9, ...bytes("\nidna")]), "# café\nidna"],
  [
    "a coding line",
    new Uint8Array([...bytes("# -*- coding: latin_1 -*-\n#"), 0xe9]),
    "# -*- coding: latin_1 -*-\n#é",
  ],
])("requirements are read as pip reads them: %s", async (_, content, text) => {
  expect((await addFiles([file("requirements.txt", content)])).left).toEqual([]);
  expect(added()).toEqual({ rest: {}, requirements: text });
});

test("requirements that are no text are left out, and said; other files stay UTF-8", async () => {
  const binary = new Uint8Array([0x50, 0x4b, 0, 0, 1, 0, 2]);
  expect((await addFiles([file("requirements.txt", binary)])).left).toEqual(["requirements.txt"]);
  expect((await addFiles([file("data.csv", utf16("\ufeffa,b", true))])).left).toEqual(["data.csv"]);
});

const code = "def run(query):\n    return query\n";
const layouts = [
  {
    name: "a package in an archive of its own keeps its folder",
    files: { "my_app/__init__.py": "", "my_app/agent.py": code },
    agent: "my_app/agent.py",
  },
  {
    name: "a namespace package that imports itself keeps its folder",
    files: { "my_app/agent.py": "from my_app.tools import x", "my_app/tools.py": "" },
    agent: "my_app/agent.py",
  },
  {
    name: "a src layout below the project's folder",
    files: {
      "weather-1/pyproject.toml":
        "[project]\ndependencies = [\n  \"idna>=3\", # why\n  'rich'\n]\n[tool.x]\n",
      "weather-1/src/weather/agent.py": code,
    },
    agent: "src/weather/agent.py",
    requirements: "idna>=3\nrich",
  },
  {
    name: "the packages of the agent's own folder go before those of the project",
    files: { "p/requirements.txt": "a", "p/one/agent.py": code, "p/one/requirements.txt": "b" },
    agent: "one/agent.py",
    requirements: "b",
  },
  {
    name: "a module that is run",
    files: { "p/tool/__main__.py": "print(1)", "p/README.md": "" },
    agent: "tool/__main__.py",
  },
  { name: "a program at the root", files: { "p/main.py": code, "p/b.py": "" }, agent: "main.py" },
] as { name: string; files: Record<string, string>; agent: string; requirements?: string }[];

test.each(layouts)("$name", async ({ files, agent, requirements }) => {
  for (const given of [
    [zip(files)],
    Object.entries(files).map(([name, text]) => file(name, text)),
  ]) {
    const found = await addFiles(given);
    const draft = replaceDraft(fresh());
    expect(found.agent).toBe(agent);
    expect(draft.entry_point).toBe(agent);
    expect(Object.keys(draft.files)).toContain(agent);
    expect(draft.files["agent.py"]).toBeUndefined();
    if (requirements !== undefined) expect(draft.requirements).toBe(requirements);
  }
});

test("several agents are named, and none is chosen", async () => {
  const found = await addFiles([zip({ "p/a/agent.py": code, "p/b/agent.py": code })]);
  expect([found.agent, found.agents]).toEqual([null, ["a/agent.py", "b/agent.py"]]);
  expect(replaceDraft(fresh()).entry_point).toBeNull();
});

test("single files leave what is run as it is", async () => {
  await addFiles([file("main.py", code)]);
  const draft = replaceDraft(fresh());
  expect([draft.entry_point, "agent.py" in draft.files]).toEqual([null, true]);
});

test("what .gitignore excludes is left out, and said", async () => {
  const files = {
    "p/.gitignore": "out/\n*.log\n!keep.log\n/data/*.csv\n",
    "p/agent.py": code,
    "p/out/x.txt": "",
    "p/a.log": "",
    "p/keep.log": "",
    "p/data/x.csv": "",
    "p/sub/data/x.csv": "",
  };
  for (const given of [
    [zip(files)],
    Object.entries(files).map(([name, text]) => file(name, text)),
  ]) {
    const { ignored } = await addFiles(given);
    expect(ignored.sort()).toEqual(["p/a.log", "p/data/x.csv", "p/out/x.txt"]);
    expect(Object.keys(added().rest).sort()).toEqual(["keep.log", "sub/data/x.csv"]);
  }
});
