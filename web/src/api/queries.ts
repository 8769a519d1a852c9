import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { StoredModels } from "../bench/models";
import { api, body } from "./client";
import { ApiProblem } from "./problem";
import type { CredentialInfo, Outcome, Rehearsal } from "./schema";

/** Everything that the page reads, by what it is kept under. */
export const testQuery = (id: string) =>
  queryOptions({
    queryKey: ["test", id],
    queryFn: () => body(api.GET("/api/v1/tests/{test_id}", { params: { path: { test_id: id } } })),
  });

/** What a list of tests is narrowed down to. */
export interface HistoryFilter {
  q?: string | undefined;
  outcome?: Outcome | undefined;
  /** The first model of a test; `default` for tests that named none. */
  model?: string | undefined;
}

const PAGE = 50;

export const historyQuery = (filter: HistoryFilter) =>
  infiniteQueryOptions({
    queryKey: ["history", filter],
    queryFn: ({ pageParam }) => {
      const query = { ...filter, limit: PAGE, cursor: pageParam };
      return body(api.GET("/api/v1/tests", { params: { query } }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const packagesQuery = (id: string) =>
  queryOptions({
    queryKey: ["packages", id],
    queryFn: () =>
      body(api.GET("/api/v1/tests/{test_id}/packages", { params: { path: { test_id: id } } })),
    // Nothing tells of it: asked now and then, while one is tried out and somebody looks.
    refetchInterval: ({ state }) =>
      state.data?.packages.some(({ rehearsal }) => isPending(rehearsal)) ? TRYING_OUT : false,
  });

/** Milliseconds between two looks at a package that is tried out, which takes seconds to minutes. */
const TRYING_OUT = 2000;

/** Whether what comes out of trying a package out is still to come. */
export function isPending({ state }: Rehearsal): boolean {
  return state === "waiting" || state === "running";
}

export const providersQuery = queryOptions({
  queryKey: ["providers"],
  queryFn: () => body(api.GET("/api/v1/providers")),
  staleTime: 10_000,
});

export const credentialsQuery = queryOptions({
  queryKey: ["credentials"],
  queryFn: () => body(api.GET("/api/v1/credentials")),
});

/** What the services of stored credentials list; asked anew when one is stored anew. */
export const storedModelsQuery = (credentials: readonly CredentialInfo[]) =>
  queryOptions({
    queryKey: ["models", credentials],
    queryFn: () => Promise.all(credentials.map(modelsOf)),
    staleTime: 60_000,
  });

async function modelsOf(credential: CredentialInfo): Promise<StoredModels> {
  const params = { path: { name: credential.provider }, query: { credential: credential.name } };
  try {
    const { models, reason } = await body(api.GET("/api/v1/providers/{name}/models", { params }));
    return { credential, models, reason: reason || (models.length > 0 ? "" : "it lists none") };
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status === 401) throw error;
    return { credential, models: [], reason: error.message };
  }
}

export const queueQuery = queryOptions({
  queryKey: ["queue"],
  queryFn: () => body(api.GET("/api/v1/queue")),
});

export const limitsQuery = queryOptions({
  queryKey: ["limits"],
  queryFn: () => body(api.GET("/api/v1/limits")),
  staleTime: 60_000,
});

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () => body(api.GET("/api/v1/session")),
  staleTime: 60_000,
});
