import { useCallback, useMemo } from "react";
import { $api } from "../../api/client";
import { useCan, useMe } from "../../api/hooks";

/** Names for the ids of who did something, as far as the user may know them. */
export function useNameOf(): (userId: string) => string {
  const me = useMe();
  const mayRead = useCan("users:read");
  const users = $api.useQuery(
    "get",
    "/api/v1/users",
    { params: { query: { limit: 500 } } },
    { enabled: mayRead },
  );
  const names = useMemo(() => {
    const known = new Map(users.data?.users.map((user) => [user.id, user.full_name || user.email]));
    return known.set(me.id, "You");
  }, [users.data, me.id]);
  return useCallback(
    (userId) => names.get(userId) ?? (userId.length > 20 ? userId.slice(0, 8) : userId),
    [names],
  );
}
