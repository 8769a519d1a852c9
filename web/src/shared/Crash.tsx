import { Anchor, Button, Group, Stack, Text, Title } from "@mantine/core";
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { inWords } from "../api/problem";

/** What is shown in place of a view that failed: the error, and the ways on. */
export function Crash({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const { message, hint } = inWords(error);
  const again = () => {
    reset();
    void router.invalidate();
  };
  return (
    <Stack align="center" gap="xs" py={80} role="alert">
      <Title order={1} size="h2">
        This view cannot be shown
      </Title>
      <Text className="quiet foreign">{message}</Text>
      {hint && <Text className="quiet">{hint}</Text>}
      <Group mt="sm">
        <Button onClick={again}>Try again</Button>
        <Anchor component={Link} to="/tests">
          See your tests
        </Anchor>
      </Group>
    </Stack>
  );
}
