import { $api } from "../../api/client";
import { useCan, useMe } from "../../api/hooks";

/** All of them, for choosing one; the command palette reads the same. */
export function useAgents() {
  const canRead = useCan("agents:read");
  return $api.useQuery("get", "/api/v1/agents", { params: { query: { limit: 500 } } }, { enabled: canRead });
}

/** Of the token that lies in the server's data folder. */
const installationId = "00000000-0000-7000-8000-000000000001";

const knownNames: Record<string, string> = {
  system: "The platform",
  [installationId]: "The installation's token",
};

/** The name of whoever made a change, as far as the reader may know it. */
export function useName(userId: string): string | undefined {
  const me = useMe();
  const canReadUsers = useCan("users:read");
  const isOther = userId !== me.id && userId !== "" && !Object.hasOwn(knownNames, userId);
  const users = $api.useQuery(
    "get",
    "/api/v1/users",
    { params: { query: { limit: 500 } } },
    { enabled: canReadUsers && isOther },
  );
  if (userId === me.id) return "You";
  if (knownNames[userId]) return knownNames[userId];
  const user = users.data?.users.find((each) => each.id === userId);
  return user && (user.full_name || user.email);
}
