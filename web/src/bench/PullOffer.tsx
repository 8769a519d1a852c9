import { Button, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { startPull, usePull } from "../api/pulls";
import { providersQuery } from "../api/queries";
import { PullLine } from "../shared/PullLine";
import classes from "../shared/PullLine.module.css";
import { Trouble } from "../shared/Trouble";

/** Offers to pull a model that Ollama does not have, and shows how far that is. */
export default function PullOffer({ model, missing }: { model: string; missing: boolean }) {
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
