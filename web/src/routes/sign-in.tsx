import { Button, Code, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createFileRoute, useRouter } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { wasRefused } from "../api/arrival";
import { inWords, needsLocalToken } from "../api/problem";
import { sessionQuery } from "../api/queries";
import { storeToken, tokenIn } from "../api/session";
import { useTitle } from "../shared/useTitle";

const REFUSED = "The token in the address was not accepted.";
const NO_TOKEN = "This contains no token. Copy the whole address.";

export const Route = createFileRoute("/sign-in")({
  component: SignIn,
  validateSearch: (search: { back?: unknown }): { back?: string } => ({
    back: within(search.back),
  }),
});

/** An address within this page, or none: signing in leads nowhere else. */
function within(back: unknown): string | undefined {
  return typeof back === "string" && /^\/(?![/\\])/.test(back) ? back : undefined;
}

function SignIn() {
  const { back = "/" } = Route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const asked = useQuery({ ...sessionQuery, retry: false });
  const local = needsLocalToken(asked.error);
  const [pasted, setPasted] = useState("");
  const [error, setError] = useState(wasRefused() ? REFUSED : "");
  useTitle("Sign in");

  async function signIn(event: FormEvent) {
    event.preventDefault();
    const token = tokenIn(pasted);
    if (token === null) return setError(NO_TOKEN);
    storeToken(token);
    try {
      await queries.fetchQuery({ ...sessionQuery, retry: false, staleTime: 0 });
    } catch (problem) {
      storeToken(null);
      return setError(inWords(problem).message);
    }
    await queries.invalidateQueries();
    router.history.push(back);
  }

  return (
    <Paper component="form" onSubmit={signIn} className="panel" maw={460} mx="auto" mt={80} p="xl">
      <Stack>
        <Title order={1} size="h3">
          Sign in
        </Title>
        {local ? <LocalToken /> : <ApiToken />}
        <PasswordInput
          label={local ? "Address or token" : "API token"}
          value={pasted}
          onChange={(event) => setPasted(event.currentTarget.value)}
          error={error}
          autoComplete="current-password"
          data-autofocus
          required
        />
        <Button type="submit">Sign in</Button>
      </Stack>
    </Paper>
  );
}

function LocalToken() {
  return (
    <Text size="sm" className="quiet">
      This server asks for its local token. <Code>seatrial serve</Code> prints the address that
      includes it. To print it again, run <Code>seatrial serve --show-url</Code> on that machine,
      then open the address, or paste it here. Running tests continue.
    </Text>
  );
}

function ApiToken() {
  return (
    <Text size="sm" className="quiet">
      This server asks for an API token. Its operator makes one with{" "}
      <Code>seatrial users token NAME</Code>. Running tests continue.
    </Text>
  );
}
