/** The public API, typed by its own description. Every call of the pages goes through here. */
import { QueryClient } from "@tanstack/react-query";
import createFetchClient from "openapi-fetch";
import createQueryHooks from "openapi-react-query";
import { ApiError, asApiError, offline, readProblem } from "./problem";
import type { components, paths } from "./schema";
import { accessToken, renewAfterRefusal } from "./session";

export type Schemas = components["schemas"];

/** fetch with the caller's token; throws ApiError for every answer that is no success. */
export async function authorizedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  for (let attempt = 0; ; ++attempt) {
    const token = await accessToken();
    const sent = request.clone();
    sent.headers.set("Authorization", `Bearer ${token}`);
    const response = await fetch(sent).catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw offline();
    });
    if (response.ok) return response;
    const problem = await readProblem(response);
    if (problem.code === "unauthenticated" && attempt === 0 && (await renewAfterRefusal(token))) continue;
    throw problem;
  }
}

/** `await api.GET("/api/v1/agents", …)`: for what is not shown by a query. Throws ApiError. */
export const api = createFetchClient<paths>({
  baseUrl: location.origin,
  fetch: authorizedFetch,
  // Several values of a parameter stand in one, with commas.
  querySerializer: { array: { style: "form", explode: false } },
});

/**
 * `$api.useQuery("get", "/api/v1/agents", { params })`, `$api.useMutation("post", …)`. The key of a query is
 * [method, path, init], which `refreshPaths` and the live events rely on.
 */
export const $api = createQueryHooks(api);

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Events tell what has changed; this is for what has none.
      staleTime: 30_000,
      gcTime: 10 * 60_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 3 && asApiError(error).mayPass,
      retryDelay: (failures, error) =>
        (error instanceof ApiError && error.retryAfterSeconds
          ? error.retryAfterSeconds
          : 0.5 * 2 ** failures) * 1000,
    },
  },
});

/** Marks what was read under these paths as old; what is on the screen is read again. */
export function refreshPaths(...prefixes: string[]): void {
  void queryClient.invalidateQueries({
    predicate: ({ queryKey }) =>
      typeof queryKey[1] === "string" &&
      prefixes.some((prefix) => (queryKey[1] as string).startsWith(prefix)),
  });
}

/** A key for one deed of a user, so that a repetition after a lost answer does it once. */
export function idempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
