/** What happy-dom lacks of a browser, for components that measure themselves. */
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";
import { forget, install } from "./server";

class Still {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

if (typeof window !== "undefined") {
  window.ResizeObserver ??= Still as unknown as typeof ResizeObserver;
  if (!document.fonts) Object.assign(document, { fonts: new EventTarget() });
  // A busy machine takes its time; nothing is waited for longer than it takes.
  configure({ asyncUtilTimeout: 20_000 });
  install();
  afterEach(() => {
    cleanup();
    forget();
  });
}
