import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";

/** Show a component as the page does. `at` says where the page is afterwards. */
export async function show(content: ReactNode) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const root = createRootRoute({ component: () => content, notFoundComponent: () => content });
  const history = createMemoryHistory({ initialEntries: ["/"] });
  const router = createRouter({ routeTree: root, history });
  const shown = render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        {/* biome-ignore lint/suspicious/noExplicitAny: the real router has other routes */}
        <RouterProvider router={router as any} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  await router.load();
  return { ...shown, queries, at: () => router.state.location.href };
}
