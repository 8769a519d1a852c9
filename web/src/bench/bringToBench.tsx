import { toast } from "../shared/toast";
import { type Draft, draftIsTouched, replaceDraft } from "./draft";
import { UndoReplaced } from "./UndoReplaced";

/** Put a draft at the bench. What somebody had typed there can be had back for a while. */
export function bringToBench(draft: Draft, title: string): void {
  const before = replaceDraft(draft);
  if (!draftIsTouched(before)) return;
  void toast({
    title,
    message: (hide) => <UndoReplaced before={before} onDone={hide} />,
    autoClose: 15_000,
  });
}
