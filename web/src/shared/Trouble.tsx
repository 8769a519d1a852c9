import { Alert, Text } from "@mantine/core";
import { CircleAlert } from "lucide-react";
import { inWords } from "../api/problem";

/** An error in words, with what to do where that is known. */
export function Trouble({ error, title }: { error: unknown; title?: string }) {
  const { message, hint } = inWords(error);
  return (
    <Alert color="red" variant="light" role="alert" icon={<CircleAlert />} title={title}>
      <Text size="sm">{message}</Text>
      {hint && (
        <Text size="sm" mt={4}>
          {hint}
        </Text>
      )}
    </Alert>
  );
}
