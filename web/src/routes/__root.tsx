import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, Outlet } from "@tanstack/react-router";
import { Crash } from "../shared/Crash";
import { Frame } from "../shared/Frame";
import { NotFound } from "../shared/NotFound";

export const Route = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: () => (
    <Frame>
      <Outlet />
    </Frame>
  ),
  notFoundComponent: () => <NotFound />,
  errorComponent: Crash,
});
