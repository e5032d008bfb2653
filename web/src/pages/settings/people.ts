/** Who is behind an id, as far as the user may know it. */
import { useMemo } from "react";
import { useCan, useMe } from "../../api/hooks";
import { type ApiKey, type User, useApiKeys, useUsers } from "./lists";

export interface Person {
  name: string;
  kind: "user" | "key" | "system" | "nobody";
}

export type People = ReadonlyMap<string, Person>;

/** Exported for its test. */
export function peopleOf(users: readonly User[], keys: readonly ApiKey[]): People {
  const people = new Map<string, Person>([
    ["system", { name: "The system", kind: "system" }],
    ["", { name: "Nobody known", kind: "nobody" }],
  ]);
  for (const key of keys) people.set(key.id, { name: `Key ${key.name}`, kind: "key" });
  for (const user of users) people.set(user.id, { name: user.full_name || user.email, kind: "user" });
  return people;
}

export function usePeople(): People {
  const { user } = useMe();
  const users = useUsers().data;
  const keys = useApiKeys(true, useCan("api_keys:read")).data;
  return useMemo(() => peopleOf([user, ...(users ?? [])], keys ?? []), [user, users, keys]);
}
