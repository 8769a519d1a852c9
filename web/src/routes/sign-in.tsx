import { Button, Code, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { createFileRoute, useRouter } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { inWords } from "../api/problem";
import { sessionQuery } from "../api/queries";
import { storeToken } from "../api/session";

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
  const [token, setToken] = useState("");
  const [error, setError] = useState("");

  async function signIn(event: FormEvent) {
    event.preventDefault();
    storeToken(token.trim());
    try {
      await queries.fetchQuery({ ...sessionQuery, staleTime: 0 });
    } catch (problem) {
      storeToken(null);
      setError(inWords(problem).message);
      return;
    }
    await queries.invalidateQueries();
    router.history.push(back);
  }

  return (
    <Paper component="form" onSubmit={signIn} className="panel" maw={420} mx="auto" mt={80} p="xl">
      <Stack>
        <Title order={1} size="h3">
          Sign in
        </Title>
        <Text size="sm" className="quiet">
          This server asks for an API token. Its operator makes one with{" "}
          <Code>seatrial users token NAME</Code>. Tests that run go on meanwhile.
        </Text>
        <PasswordInput
          label="API token"
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
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
