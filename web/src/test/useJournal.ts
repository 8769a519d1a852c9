import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { here } from "../api/door";
import { followJournal } from "../api/follow";
import { testQuery } from "../api/queries";
import type { Event } from "../api/schema";
import { changesTest, Journal, type Told } from "./journal";

const NOTHING = new Journal().told();

/** The live journal of a test. `away` says that the server cannot be reached right now. */
export function useJournal(id: string, onError: (error: unknown) => void) {
  const [told, setTold] = useState<Told>(NOTHING);
  const [away, setAway] = useState(false);
  const queries = useQueryClient();

  useEffect(() => {
    const stop = new AbortController();
    const journal = new Journal();
    let frame = 0;
    const show = () => {
      frame = 0;
      setTold(journal.told());
    };
    const onEvents = (events: Event[]) => {
      journal.add(events);
      // A background tab has no frames: it is brought up to date when it is looked at.
      frame ||= requestAnimationFrame(show);
      if (events.some(changesTest)) void queries.invalidateQueries(testQuery(id));
    };
    setTold(NOTHING);
    followJournal(
      here,
      id,
      { onEvents, onState: (state) => setAway(state === "away") },
      stop.signal,
    ).catch(onError);
    return () => {
      stop.abort();
      cancelAnimationFrame(frame);
    };
  }, [id, queries, onError]);

  return { told, away };
}
