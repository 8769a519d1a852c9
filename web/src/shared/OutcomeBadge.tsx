import { Badge } from "@mantine/core";
import { Ban, Check, CircleDot, Clock, Hourglass, Package, X } from "lucide-react";
import type { Outcome, Phase } from "../api/schema";

const LOOKS = {
  queued: { word: "queued", color: "gray", icon: Hourglass },
  building: { word: "building", color: "blue", icon: Package },
  running: { word: "running", color: "blue", icon: CircleDot },
  completed: { word: "completed", color: "gray", icon: Check },
  succeeded: { word: "succeeded", color: "green", icon: Check },
  failed: { word: "failed", color: "red", icon: X },
  cancelled: { word: "cancelled", color: "gray", icon: Ban },
  timed_out: { word: "timed out", color: "orange", icon: Clock },
} as const;

/** How a test stands, in a word, a colour and a sign. */
export function OutcomeBadge({ phase, outcome }: { phase: Phase; outcome?: Outcome | null }) {
  const { word, color, icon: Icon } = LOOKS[outcome ?? phase];
  return (
    <Badge color={color} variant="light" tt="none" size="md" leftSection={<Icon size={12} />}>
      {word}
    </Badge>
  );
}
