import { MantineProvider } from "@mantine/core";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRouter, RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./mantine.css";
import "./styles.css";
import { arrive } from "./api/arrival";
import { ApiProblem, needsSignIn } from "./api/problem";
import { routeTree } from "./routeTree.gen";
import { Crash } from "./shared/Crash";
import { ToastPlace } from "./shared/toast";
import { theme } from "./theme";

// Before anything else reads the address: the token in it is for nobody's eyes.
const arrived = arrive();

/** Somebody whose sign-in ended signs in again and comes back to where they were. */
function onError(error: unknown): void {
  const { pathname, href } = router.state.location;
  if (needsSignIn(error) && pathname !== "/sign-in")
    void router.navigate({ to: "/sign-in", search: { back: href } });
}

const queries = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      retry: (failures, error) =>
        failures < 3 && !(error instanceof ApiProblem && error.status < 500),
    },
  },
});

const router = createRouter({
  routeTree,
  context: { queries },
  defaultPreload: "intent",
  // Within the frame, so that the way to every other page stays.
  defaultErrorComponent: Crash,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

// Parts of the page that a newer version has replaced meanwhile are no longer there: load that one.
window.addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem("seatrial.reloaded"));
  sessionStorage.setItem("seatrial.reloaded", String(Date.now()));
  if (Date.now() - last > 10_000) location.reload();
});

// An address with a token that is pasted into an open page loads nothing anew.
window.addEventListener("hashchange", async () => {
  if (await arrive()) await queries.resetQueries();
});

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no root element.");
const shown = createRoot(root);
void arrived.then(() =>
  shown.render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto">
        <QueryClientProvider client={queries}>
          <ToastPlace />
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  ),
);
