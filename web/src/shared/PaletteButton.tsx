import { ActionIcon } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { Command } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";

const Palette = lazy(async () => {
  const [palette, { spotlight }] = await Promise.all([
    import("./Palette"),
    import("@mantine/spotlight"),
  ]);
  openPalette = spotlight.open;
  return palette;
});

let openPalette = () => {};

/** Opens the command palette, as Ctrl+K does. Its code comes when it is first wanted. */
export function PaletteButton() {
  const [wanted, setWanted] = useState(false);
  const open = () => (wanted ? openPalette() : setWanted(true));
  useHotkeys([["mod+K", open]], [], true);
  return (
    <>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label="Commands"
        aria-keyshortcuts="Control+K"
        onClick={open}
      >
        <Command size={18} />
      </ActionIcon>
      {wanted && (
        <Suspense>
          <Palette />
          <OpenAtFirst />
        </Suspense>
      )}
    </>
  );
}

/** Stands beside the palette, so that it is there when this asks it to open. */
function OpenAtFirst() {
  useEffect(() => openPalette(), []);
  return null;
}
