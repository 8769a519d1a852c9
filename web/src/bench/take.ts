import { inWords } from "../api/problem";
import { toast } from "../shared/toast";
import type { Added } from "./addFiles";

/** Put these files of the user's computer into the draft, and say what could not be. */
export async function take(files: File[] | Promise<File[]>): Promise<void> {
  try {
    const { addFiles } = await import("./addFiles");
    const added = await addFiles(await files);
    for (const { title, message } of notesOn(added)) await toast({ title, message });
  } catch (error) {
    await toast({ color: "red", title: "Not added", message: inWords(error).message });
  }
}

/** What the user cannot see at once: which file is run, where packages come from, what is missing. */
function notesOn(added: Added): { title: string; message: string }[] {
  const { agent, agents, source, left, ignored } = added;
  const found = [
    agent !== null && agent !== "agent.py" && `Agent: ${agent}.`,
    source !== undefined && source !== "requirements.txt" && `Packages: from ${source}.`,
  ].filter((text) => text !== false);
  return [
    { title: "Added", message: found.join(" ") },
    {
      title: "Several agents; name one as the entry point",
      message: agents.join(", "),
    },
    { title: "Left out, since they are no text", message: listed(left) },
    { title: "Left out by .gitignore", message: listed(ignored) },
  ].filter(({ message }) => message !== "");
}

const SHOWN = 12;

function listed(names: string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return names.slice(0, SHOWN).join(", ") + more;
}
