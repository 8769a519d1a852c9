import { type DragEvent, useState } from "react";
import { droppedFiles } from "./dropped";
import { take } from "./take";

/** Lets files of the user's computer be dropped on an element. */
export function useFileDrop() {
  const [over, setOver] = useState(false);
  const carriesFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  return {
    over,
    handlers: {
      onDragEnter: (event: DragEvent) => carriesFiles(event) && setOver(true),
      onDragOver: (event: DragEvent) => {
        // Without this the browser would leave the page and open the file.
        if (carriesFiles(event)) event.preventDefault();
      },
      onDragLeave: (event: DragEvent) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      },
      onDropCapture: (event: DragEvent) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        void take(droppedFiles(event.dataTransfer));
      },
    },
  };
}
