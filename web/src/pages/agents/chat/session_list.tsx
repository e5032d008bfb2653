import { Link } from "@tanstack/react-router";
import { Plus, Trash2 } from "lucide-react";
import { $api, type Schemas } from "../../../api/client";
import { useCan } from "../../../api/hooks";
import { paging } from "../../../api/pages";
import { cx } from "../../../lib/classes";
import { Button } from "../../../ui/button";
import { Confirm } from "../../../ui/dialog";
import { Loaded } from "../../../ui/states";
import { Time } from "../../../ui/time";

type Session = Schemas["ChatSession"];

const pageSize = 200;

interface SessionListProps {
  agentId: string;
  sessionId: string | undefined;
  onNew: () => void;
  onDelete: (sessionId: string) => Promise<void>;
}

/** The user's conversations with the agent, the newest first. */
export function SessionList({ agentId, sessionId, onNew, onDelete }: SessionListProps) {
  const canRead = useCan("sessions:read");
  const sessions = $api.useInfiniteQuery(
    "get",
    "/api/v1/sessions",
    { params: { query: { limit: pageSize } } },
    { ...paging, enabled: canRead },
  );
  const isShown = (session: Session) =>
    session.agent_id === agentId && (session.message_count > 0 || session.id === sessionId);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="p-2">
        <Button className="w-full" onClick={onNew}>
          <Plus aria-hidden className="size-4" /> New conversation
        </Button>
      </div>
      {canRead && (
        <nav aria-label="Conversations" className="min-h-0 flex-1 overflow-y-auto px-2 pb-2">
          <Loaded query={sessions} lines={3}>
            {(data) => (
              <Rows
                sessions={data.pages.flatMap((page) => page.sessions).filter(isShown)}
                sessionId={sessionId}
                onDelete={onDelete}
              />
            )}
          </Loaded>
          {sessions.hasNextPage && (
            <Button
              look="quiet"
              className="mt-1 w-full"
              isBusy={sessions.isFetchingNextPage}
              onClick={() => void sessions.fetchNextPage()}
            >
              Look for earlier ones
            </Button>
          )}
        </nav>
      )}
    </div>
  );
}

interface RowsProps {
  sessions: Session[];
  sessionId: string | undefined;
  onDelete: (sessionId: string) => Promise<void>;
}

function Rows({ sessions, sessionId, onDelete }: RowsProps) {
  if (sessions.length === 0) return <p className="px-2 py-1 text-xs text-muted">No earlier conversations.</p>;
  return (
    <ul className="flex flex-col gap-0.5">
      {sessions.map((session) => (
        <li
          key={session.id}
          className={cx(
            "group flex items-center rounded-md",
            session.id === sessionId ? "bg-accent-soft text-accent" : "hover:bg-hover",
          )}
        >
          <Link
            from="/agents/$agentId"
            to="/agents/$agentId"
            search={{ tab: "chat", session: session.id }}
            aria-current={session.id === sessionId ? "page" : undefined}
            className="flex h-8 min-w-0 flex-1 items-center justify-between gap-2 rounded-md px-2"
          >
            <Time at={session.updated_at} className="truncate" />
            <span className="text-xs text-muted tabular-nums">
              {session.message_count} message{session.message_count === 1 ? "" : "s"}
            </span>
          </Link>
          <Delete onDelete={() => onDelete(session.id)} />
        </li>
      ))}
    </ul>
  );
}

function Delete({ onDelete }: { onDelete: () => Promise<void> }) {
  const canWrite = useCan("sessions:write");
  if (!canWrite) return null;
  return (
    <Confirm
      title="Delete this conversation?"
      action="Delete conversation"
      onConfirm={onDelete}
      trigger={
        <button
          type="button"
          aria-label="Delete conversation"
          className="grid size-8 shrink-0 place-items-center rounded-md text-muted opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 hover:text-danger pointer-coarse:opacity-100"
        >
          <Trash2 aria-hidden className="size-3.5" />
        </button>
      }
    >
      Its words are deleted with it. This cannot be undone.
    </Confirm>
  );
}
