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
  const left = await addFiles([
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
