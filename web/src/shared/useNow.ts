import { useEffect, useState } from "react";
import { serverNow } from "../api/clock";

/** The server's time, renewed every `milliseconds`; standing still with null. */
export function useNow(milliseconds: number | null): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    if (milliseconds === null) return;
    const timer = setInterval(() => setNow(serverNow()), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
  return now;
}
