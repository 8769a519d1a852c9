import type { ReactNode } from "react";
import { serverNow } from "../api/clock";
import type { Test } from "../api/schema";
import { visible } from "../shared/ansi";
import { Panel } from "../shared/Panel";
import { moment } from "../shared/words";
import classes from "./Facts.module.css";

/** What was tested and with what. */
export function Facts({ test }: { test: Test }) {
  const { request, result } = test;
  const rows: [string, ReactNode][] = [
    ["Query", request.query],
    ["Model", modelOf(test)],
    ["Entry point", result?.entry_point],
    ["Framework", result?.framework],
    ["Python", request.python],
    ["Files", Object.keys(request.files).join(", ")],
    ["Requirements", request.requirements.trim().split("\n").join(", ")],
    ["Hosts", request.egress.join(", ")],
    ["Model service may", request.allow.join(", ")],
    ["Credential", request.credential],
    ["Submitted", moment(test.created_at, serverNow())],
    ["Exit code", result?.exit_code],
    ["Secrets", leaks(test)],
    ["Limits not enforced", test.receipt?.unenforced?.join(", ")],
  ];
  return (
    <Panel title="Facts">
      <dl className={classes.facts}>
        {rows.map(([name, value]) =>
          value === null || value === undefined || value === "" ? null : (
            <div key={name} className={classes.row}>
              <dt>{name}</dt>
              <dd className="foreign">{typeof value === "string" ? visible(value) : value}</dd>
            </div>
          ),
        )}
      </dl>
    </Panel>
  );
}

function modelOf({ request, result }: Test): string {
  const model = result?.model ?? request.model ?? "the default";
  return result?.model_fallback ? `${model} (in place of the default, which is not there)` : model;
}

/** What the look for secrets found, once it was done. */
function leaks({ receipt }: Test): string {
  if (!receipt) return "";
  const parts = receipt.leaked_artifacts;
  return parts.length > 0 ? `Found in ${parts.join(", ")}` : "None found in what the test left";
}
