/** Who is behind the ids of users, keys and the platform itself, as far as the user may know them. */
import { useCallback, useMemo } from "react";
import { $api, type Schemas } from "./client";
import { useCan, useMe } from "./hooks";
import { pageMax, paging, useAllPages } from "./pages";

export type User = Schemas["User"];
export type ApiKey = Schemas["ApiKey"];

export interface Person {
  name: string;
  kind: "user" | "key" | "system" | "nobody";
}

export type People = ReadonlyMap<string, Person>;

/** Of the token that lies in the server's data folder. */
const installationId = "00000000-0000-7000-8000-000000000001";

/** Exported for its test. */
export function peopleOf(users: readonly User[], keys: readonly ApiKey[]): People {
  const people = new Map<string, Person>();
  for (const key of keys) people.set(key.id, { name: `Key ${key.name}`, kind: "key" });
  for (const user of users) people.set(user.id, { name: user.full_name || user.email, kind: "user" });
  return people
    .set(installationId, { name: "The installation's token", kind: "key" })
    .set("system", { name: "The platform", kind: "system" })
    .set("", { name: "Nobody known", kind: "nobody" });
}

/** All of them. What the user may not read is not asked for. */
export function useUsers() {
  const canRead = useCan("users:read");
  return useAllPages(
    $api.useInfiniteQuery(
      "get",
      "/api/v1/users",
      { params: { query: { limit: pageMax } } },
      { ...paging, enabled: canRead, select: (data) => data.pages.flatMap((page) => page.users) },
    ),
  );
}

/** One's own keys, or everybody's and those of services. */
export function useApiKeys(isAll: boolean, isWanted = true) {
  return useAllPages(
    $api.useInfiniteQuery(
      "get",
      "/api/v1/auth/api-keys",
      { params: { query: { limit: pageMax, ...(isAll ? { owner: "all" as const } : {}) } } },
      { ...paging, enabled: isWanted, select: (data) => data.pages.flatMap((page) => page.api_keys) },
    ),
  );
}

export function usePeople(): People {
  const { user } = useMe();
  const users = useUsers().data;
  const keys = useApiKeys(true, useCan("api_keys:read")).data;
  return useMemo(() => peopleOf([user, ...(users ?? [])], keys ?? []), [user, users, keys]);
}

/** Names for the ids of who did something; an id that nobody has a name for stays what it is. */
export function useNameOf(): (id: string) => string {
  const me = useMe();
  const people = usePeople();
  return useCallback((id) => (id === me.id ? "You" : (people.get(id)?.name ?? id)), [people, me.id]);
}
