import type { NotificationData } from "@mantine/notifications";
import { lazy, Suspense, useSyncExternalStore } from "react";

const Shown = lazy(() => import("./Toasts"));

let wanted = false;
const listeners = new Set<() => void>();

/** Say something in passing. `message` gets what hides it again. The code for it comes then. */
export async function toast(
  said: Omit<NotificationData, "message"> & {
    message: string | ((hide: () => void) => NotificationData["message"]);
  },
): Promise<void> {
  wanted = true;
  for (const listener of listeners) listener();
  const { notifications } = await import("@mantine/notifications");
  const { message, ...rest } = said;
  const id = `toast-${performance.now()}`;
  const hide = () => notifications.hide(id);
  notifications.show({
    ...rest,
    id,
    message: typeof message === "string" ? message : message(hide),
    closeButtonProps: { "aria-label": "Close" },
  });
}

/** Where such sayings appear. */
export function ToastPlace() {
  const needed = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => wanted,
  );
  return needed ? (
    <Suspense>
      <Shown />
    </Suspense>
  ) : null;
}
