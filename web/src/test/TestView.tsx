import { Alert } from "@mantine/core";
import { WifiOff } from "lucide-react";
import { useCallback, useState } from "react";
import type { Test } from "../api/schema";
import { Trouble } from "../shared/Trouble";
import { useTitle } from "../shared/useTitle";
import { Calls } from "./Calls";
import { Console } from "./Console";
import { Facts } from "./Facts";
import { FailureCard } from "./FailureCard";
import { Header } from "./Header";
import { emptiness } from "./journal";
import { Meters } from "./Meters";
import { Notices } from "./Notices";
import { Packages } from "./Packages";
import { Response } from "./Response";
import { Steps } from "./Steps";
import classes from "./TestView.module.css";
import { useJournal } from "./useJournal";

/** One test: what happens while it happens, and all of it afterwards. */
export function TestView({ test }: { test: Test }) {
  const [error, setError] = useState<unknown>(null);
  const onError = useCallback((found: unknown) => setError(found), []);
  const { told, away } = useJournal(test.id, onError);
  const [target, setTarget] = useState<{ line: number } | null>(null);
  const empty = emptiness(test.phase, told);
  useTitle(test.name ?? (test.request.query || "Test"));

  return (
    <div className={classes.view}>
      <Header test={test} />
      {away && (
        <Alert color="yellow" icon={<WifiOff />} role="status" variant="light">
          {away} The test goes on; this page goes on when it can follow it again.
        </Alert>
      )}
      {error !== null && <Trouble error={error} title="The journal cannot be read" />}
      <Steps test={test} told={told} />
      {test.failure && (
        <FailureCard test={test} failure={test.failure} lines={told.lines} onShow={setTarget} />
      )}
      <div className={classes.columns}>
        <div className={classes.main}>
          <Response test={test} told={told} />
          <Console testId={test.id} told={told} empty={empty} target={target} />
        </div>
        <aside className={classes.side} aria-label="Measurements">
          {test.outcome === "succeeded" && <Packages test={test} />}
          <Meters test={test} told={told} />
          <Calls calls={told.calls} phases={told.phases} empty={empty} />
          <Notices notices={told.notices} />
          <Facts test={test} />
        </aside>
      </div>
    </div>
  );
}
