import { useCallback, useMemo } from "react";
import { $api } from "../../api/client";
import { useCan, useMe } from "../../api/hooks";

/** Of an id that nobody has a name for. */
const shortLength = 8;
const limit = 500;

/** Names for the ids of who did something, as far as the user may know them. */
export function useNameOf(): (id: string) => string {
  const me = useMe();
  const canReadUsers = useCan("users:read");
  const canReadKeys = useCan("api_keys:read");
  const users = $api.useQuery(
    "get",
    "/api/v1/users",
    { params: { query: { limit } } },
    { enabled: canReadUsers },
  );
  const keys = $api.useQuery(
    "get",
    "/api/v1/auth/api-keys",
    { params: { query: { limit, owner: "all" } } },
    { enabled: canReadKeys },
  );
  const names = useMemo(() => {
    const known = new Map([
      ["system", "the system"],
      ["", "nobody known"],
    ]);
    for (const key of keys.data?.api_keys ?? []) known.set(key.id, `the key ${key.name}`);
    for (const user of users.data?.users ?? []) known.set(user.id, user.full_name || user.email);
    return known.set(me.id, "you");
  }, [users.data, keys.data, me.id]);
  return useCallback((id) => names.get(id) ?? id.slice(0, shortLength), [names]);
}
