import { Anchor } from "@mantine/core";
import { type Draft, replaceDraft } from "./draft";

/** The way back to what was typed before. */
export function UndoReplaced({ before, onDone }: { before: Draft; onDone: () => void }) {
  function undo() {
    replaceDraft(before);
    onDone();
  }
  return (
    <>
      It replaced what was at the bench.{" "}
      <Anchor component="button" type="button" onClick={undo}>
        Put that back
      </Anchor>
    </>
  );
}
