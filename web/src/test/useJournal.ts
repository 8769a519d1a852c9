import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { here } from "../api/door";
import { followJournal } from "../api/follow";
import { testQuery } from "../api/queries";
import type { Event } from "../api/schema";
import { changesTest, Journal, type Told } from "./journal";

const AWAY = "The server cannot be reached.";

const NOTHING = new Journal().told();

/** The live journal of a test. `away` says why no events come right now; empty while they do. */
export function useJournal(id: string, onError: (error: unknown) => void) {
  const [told, setTold] = useState<Told>(NOTHING);
  const [away, setAway] = useState("");
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
      { onEvents, onState: (state, why) => setAway(state === "live" ? "" : (why ?? AWAY)) },
      stop.signal,
    ).catch(onError);
    return () => {
      stop.abort();
      cancelAnimationFrame(frame);
    };
  }, [id, queries, onError]);

  return { told, away };
}
