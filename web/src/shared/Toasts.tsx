import { Notifications } from "@mantine/notifications";
import "@mantine/notifications/styles.css";

/** The stack of notifications in a corner. */
export default function Toasts() {
  return <Notifications position="bottom-right" />;
}
