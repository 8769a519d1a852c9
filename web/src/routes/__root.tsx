import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, Outlet } from "@tanstack/react-router";
import { Frame } from "../shared/Frame";
import { NotFound } from "../shared/NotFound";
import { Trouble } from "../shared/Trouble";

export const Route = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: () => (
    <Frame>
      <Outlet />
    </Frame>
  ),
  notFoundComponent: () => <NotFound />,
  errorComponent: ({ error }) => <Trouble error={error} />,
});
