import { useNavigate, useSearch } from "@tanstack/react-router";
import { DatabaseBackup } from "lucide-react";
import { useCallback, useEffect, useRef } from "react";
import { $api, idempotencyKey, refreshPaths, type Schemas } from "../../api/client";
import { useCan } from "../../api/hooks";
import { Button } from "../../ui/button";
import { Page, Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { toast, toastError } from "../../ui/toast";
import { BackupDetail } from "./detail";
import { Keeping } from "./keeping";
import { BackupsTable } from "./table";

type Backup = Schemas["Backup"];

const path = "/api/v1/backups";
const runningMs = 1000;
/** Others make backups as well, from the command line. */
const quietMs = 15_000;

const isRunning = (backup: Backup) => backup.state === "running";

/** Says how a backup ended that was seen running, or that was begun here and ended before it was seen. */
function useEndings(backups: Backup[] | undefined): (id: string) => void {
  const running = useRef(new Set<string>());
  useEffect(() => {
    for (const backup of backups ?? []) {
      if (isRunning(backup)) running.current.add(backup.id);
      else if (running.current.delete(backup.id)) {
        if (backup.state === "done") toast("Backup done");
        else toastError("The backup failed", new Error(backup.error ?? "No reason is known."));
      }
    }
  }, [backups]);
  return useCallback((id) => void running.current.add(id), []);
}

interface MakeBackupProps {
  /** One is being made. */
  isBlocked: boolean;
  onBegun: (id: string) => void;
}

function MakeBackup({ isBlocked, onBegun }: MakeBackupProps) {
  const make = $api.useMutation("post", path, {
    onSuccess: (backup) => onBegun(backup.id),
    onSettled: () => refreshPaths(path),
    onError: (error) => toastError("No backup was begun", error),
  });
  return (
    <Button
      look="primary"
      isBusy={make.isPending || isBlocked}
      onClick={() => make.mutate({ params: { header: { "Idempotency-Key": idempotencyKey() } } })}
    >
      <DatabaseBackup aria-hidden className="size-4" />
      {isBlocked ? "Making a backup…" : "Back up now"}
    </Button>
  );
}

export function Backups() {
  const mayRead = useCan("backups:read");
  const mayWrite = useCan("backups:write");
  const { backup: openId } = useSearch({ from: "/signed-in/backups" });
  const navigate = useNavigate({ from: "/backups" });
  const backups = $api.useQuery(
    "get",
    path,
    {},
    { refetchInterval: ({ state }) => (state.data?.backups.some(isRunning) ? runningMs : quietMs) },
  );
  const watch = useEndings(backups.data?.backups);
  const open = (backup?: string) => void navigate({ search: { backup }, replace: true });
  return (
    <Page
      title="Backups"
      about="Of the whole database, on the machine of the server. Each is restored once, to see that it is whole."
      actions={
        mayWrite && <MakeBackup isBlocked={backups.data?.backups.some(isRunning) ?? false} onBegun={watch} />
      }
    >
      <Panel isFlush>
        <Loaded
          query={backups}
          isEmpty={(data) => data.count === 0}
          empty={
            <Empty title="No backup yet" icon={DatabaseBackup}>
              {mayWrite ? "Make one now, and" : "Somebody with backups:write makes one;"} let cron or a timer
              run <code className="font-mono text-xs">agent-lightning backup</code> every night.
            </Empty>
          }
        >
          {(data) => <BackupsTable backups={data.backups} onOpen={open} />}
        </Loaded>
      </Panel>
      {mayRead && <Keeping />}
      <BackupDetail
        backup={backups.data?.backups.find((each) => each.id === openId)}
        isMissing={Boolean(openId && backups.data)}
        id={openId}
        onClose={() => open()}
      />
    </Page>
  );
}
