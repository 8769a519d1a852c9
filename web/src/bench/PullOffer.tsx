import { Button, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { startPull, usePull } from "../api/pulls";
import { providersQuery } from "../api/queries";
import type { CredentialInfo, ProviderState } from "../api/schema";
import { canBePulled, namedOfOllama } from "../shared/ollama";
import { PullLine } from "../shared/PullLine";
import classes from "../shared/PullLine.module.css";
import { Trouble } from "../shared/Trouble";
import type { Draft } from "./draft";
import { meant } from "./models";

interface PullOfferProps {
  draft: Draft;
  states: readonly ProviderState[];
  credentials: readonly CredentialInfo[];
}

/** Offers to pull what the operator's Ollama does not have, where that is the one that is meant. */
export default function PullOffer({ draft, states, credentials }: PullOfferProps) {
  const named = namedOfOllama(draft.model);
  if (named === null) return null;
  const usual = meant(credentials, "ollama");
  const elsewhere = credentials.some(
    (one) => one.provider === "ollama" && (one.name === draft.credential || one === usual),
  );
  return <Offer model={named} missing={!elsewhere && canBePulled(named, states)} />;
}

function Offer({ model, missing }: { model: string; missing: boolean }) {
  const queries = useQueryClient();
  const pull = usePull(model);

  async function start() {
    if (await startPull(model)) await queries.invalidateQueries(providersQuery);
  }

  if (pull?.state === "pulling") return <PullLine model={model} pull={pull} />;
  if (pull?.state === "done")
    return (
      <div className={classes.place}>
        <Text size="sm" className={classes.text} role="status">
          Ollama has <b className="foreign">{model}</b> now.
        </Text>
      </div>
    );
  if (!missing) return null;
  return (
    <>
      <div className={classes.place}>
        <div className={classes.line}>
          <Text size="sm" className={classes.text}>
            Ollama does not have <b className="foreign">{model}</b>.
          </Text>
          <Button size="compact-sm" variant="light" onClick={() => void start()}>
            Pull it
          </Button>
        </div>
      </div>
      {pull?.state === "failed" && <Trouble error={pull.error} title="It was not pulled" />}
    </>
  );
}
