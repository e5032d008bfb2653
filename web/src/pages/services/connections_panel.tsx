import { $api } from "../../api/client";
import { useCan } from "../../api/hooks";
import { useNameOf } from "../../api/people";
import { formatCount } from "../../lib/format";
import { Name } from "../../ui/name";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { pollMs } from "./use_health";

/** Who has a WebSocket open. */
export function ConnectionsPanel() {
  const mayRead = useCan("connections:read");
  const nameOf = useNameOf();
  const connections = $api.useQuery(
    "get",
    "/api/v1/connections",
    {},
    { enabled: mayRead, refetchInterval: pollMs },
  );
  if (!mayRead) return null;
  return (
    <Panel
      title="WebSockets"
      about={connections.data && `${formatCount(connections.data.connections)} open in this process`}
    >
      <Loaded
        query={connections}
        isEmpty={({ count }) => count === 0}
        empty={<Empty title="Nobody is connected">Pages connect when somebody signs in.</Empty>}
      >
        {(data) => (
          <ul className="flex flex-col gap-1.5">
            {data.users.map(({ user_id, connections: open }) => (
              <li key={user_id} className="flex justify-between gap-2">
                <span className="min-w-0 truncate">
                  <Name id={user_id} nameOf={nameOf} />
                </span>
                <span className="tabular-nums">{formatCount(open)}</span>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}
