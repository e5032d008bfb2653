import { Monitor, Smartphone } from "lucide-react";
import { $api, refreshPaths, type Schemas } from "../../api/client";
import { useMe } from "../../api/hooks";
import { signOut } from "../../api/session";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { toast, toastError } from "../../ui/toast";
import { Tooltip } from "../../ui/tooltip";
import { isPhone, programOf } from "./user_agent";

export type Login = Schemas["Login"];

export const refreshLogins = () => refreshPaths("/api/v1/auth/logins", "/api/v1/users");

interface LoginTableProps {
  logins: Login[];
  label: string;
  canEnd: boolean;
  /** In a sheet: without what tells little. */
  isNarrow?: boolean;
}

/** Where somebody is signed in. */
export function LoginTable({ logins, label, canEnd, isNarrow }: LoginTableProps) {
  const { session_id: own } = useMe();
  const columns: Column<Login>[] = [
    {
      key: "program",
      name: "Program",
      width: "minmax(8rem, 2fr)",
      render: (login) => <Program login={login} isOwn={login.id === own} />,
    },
    {
      key: "address",
      name: "Address",
      width: "minmax(7rem, 1fr)",
      isExtra: true,
      render: (login) => <span className="font-mono text-xs">{login.address}</span>,
    },
    {
      key: "since",
      name: "Signed in",
      width: "8rem",
      isExtra: true,
      render: (login) => <Time at={login.created_at} />,
    },
    { key: "seen", name: "Last seen", width: "6rem", render: (login) => <Time at={login.last_seen_at} /> },
    {
      key: "end",
      name: <span className="sr-only">Actions</span>,
      width: "6.5rem",
      render: (login) => canEnd && <End login={login} isOwn={login.id === own} />,
    },
  ];
  const shown = isNarrow ? columns.filter(({ key }) => key !== "since") : columns;
  return <Table label={label} rows={logins} columns={shown} rowKey={(login) => login.id} />;
}

function Program({ login, isOwn }: { login: Login; isOwn: boolean }) {
  const Icon = isPhone(login.user_agent) ? Smartphone : Monitor;
  return (
    <span className="flex min-w-0 items-center gap-2">
      <Icon aria-hidden className="size-4 shrink-0 text-muted max-sm:hidden" />
      <Tooltip text={login.user_agent || "It did not say what it is."}>
        <span className="truncate">{programOf(login.user_agent)}</span>
      </Tooltip>
      <span className="hidden shrink-0 gap-1 sm:flex">
        {isOwn && <Badge tone="accent">This one</Badge>}
        {login.method === "oidc" && <Badge>Provider</Badge>}
      </span>
    </span>
  );
}

function End({ login, isOwn }: { login: Login; isOwn: boolean }) {
  const end = $api.useMutation("delete", "/api/v1/auth/logins/{login_id}", {
    onSuccess: () => toast("Session ended"),
    onError: (error) => toastError("The session has not ended", error),
    onSettled: refreshLogins,
  });
  if (isOwn) {
    return (
      <Button look="quiet" onClick={() => void signOut()}>
        Sign out
      </Button>
    );
  }
  const program = programOf(login.user_agent);
  return (
    <Confirm
      title="End this session?"
      action="End session"
      onConfirm={() => end.mutateAsync({ params: { path: { login_id: login.id } } })}
      trigger={
        <Button look="quiet" aria-label={`End session of ${program}`}>
          End
        </Button>
      }
    >
      {program} at {login.address} is signed out within a second.
    </Confirm>
  );
}
