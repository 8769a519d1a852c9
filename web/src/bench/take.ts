import { inWords } from "../api/problem";
import { toast } from "../shared/toast";

/** Put these files of the user's computer into the draft, and say what could not be. */
export async function take(files: File[]): Promise<void> {
  try {
    const { addFiles } = await import("./addFiles");
    const left = await addFiles(files);
    if (left.length > 0)
      await toast({ title: "Left out, since they are no text", message: left.join(", ") });
  } catch (error) {
    await toast({ color: "red", title: "Not added", message: inWords(error).message });
  }
}
