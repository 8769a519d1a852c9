import type { LimitRange } from "../api/schema";
import classes from "./Settings.module.css";

const WORDS: Readonly<Record<string, string>> = {
  timeout_seconds: "Time (s)",
  memory_mb: "Memory (MiB)",
  cpus: "CPU cores",
  processes: "Processes",
  disk_mb: "Disk (MiB)",
  open_files: "Open files",
  log_kb: "Log (KiB)",
  response_kb: "Response (KiB)",
  model_calls: "Model calls",
  model_tokens: "Tokens",
  traffic_mb: "Traffic (MiB)",
  concurrent_calls: "Calls at one time",
};
/** From here on a number stands for no limit. */
const ENDLESS = 1e12;

/** What a test has that asks for nothing, and the most that it may ask for here. */
export function LimitTable({ limits }: { limits: Readonly<Record<string, LimitRange>> }) {
  return (
    <table className={classes.limits}>
      <thead>
        <tr>
          <th scope="col">Limit</th>
          <th scope="col">Usual</th>
          <th scope="col">At most</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(limits).map(([name, { usual, most }]) => (
          <tr key={name}>
            <th scope="row">{WORDS[name] ?? name}</th>
            {/* 0 asks for as much as there may be. */}
            <td>{amount(usual || most)}</td>
            <td>{amount(most)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const amount = (value: number) => (value >= ENDLESS ? "no limit" : value.toLocaleString());
