import { Ban, Check, CircleDot, Clock, Hourglass, type LucideIcon, Package, X } from "lucide-react";
import type { Outcome, Phase } from "../api/schema";
import { Tag, type Tone } from "./Tag";

const LOOKS: Record<Phase | Outcome, { word: string; tone: Tone; icon: LucideIcon }> = {
  queued: { word: "queued", tone: "quiet", icon: Hourglass },
  building: { word: "building", tone: "busy", icon: Package },
  running: { word: "running", tone: "busy", icon: CircleDot },
  completed: { word: "completed", tone: "quiet", icon: Check },
  succeeded: { word: "succeeded", tone: "good", icon: Check },
  failed: { word: "failed", tone: "bad", icon: X },
  cancelled: { word: "cancelled", tone: "quiet", icon: Ban },
  timed_out: { word: "timed out", tone: "warn", icon: Clock },
};

/** How a test stands, in a word, a colour and a sign. */
export function OutcomeBadge({ phase, outcome }: { phase: Phase; outcome?: Outcome | null }) {
  const { word, tone, icon: Icon } = LOOKS[outcome ?? phase];
  return (
    <Tag tone={tone} icon={<Icon size={12} strokeWidth={2.6} aria-hidden />}>
      {word}
    </Tag>
  );
}
