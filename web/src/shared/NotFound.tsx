import { Anchor, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";

/** What stands where nothing is. */
export function NotFound({ what = "This page" }: { what?: string }) {
  return (
    <Stack align="center" gap="xs" py={80}>
      <Title order={1} size="h2">
        {what} does not exist
      </Title>
      <Text className="quiet">It may have been deleted, or belong to somebody else.</Text>
      <Anchor component={Link} to="/tests">
        See your tests
      </Anchor>
    </Stack>
  );
}
