import { useState } from "react";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Dialog, DialogActions } from "../../ui/dialog";
import { Time } from "../../ui/time";
import { DifferenceList } from "./difference_list";
import { differences } from "./differences";
import type { Agent } from "./search";

/** What a user can set; the rest changes by itself. */
function settings({ name, specialization, model, status, capabilities, max_concurrency, config }: Agent) {
  const isOff = status === "offline" || status === "error";
  return {
    name,
    specialization,
    model,
    status: isOff ? status : "idle",
    capabilities,
    max_concurrency,
    config,
  };
}

export const changesBetween = (before: Agent, after: Agent) => differences(settings(before), settings(after));

interface ConflictProps {
  before: Agent;
  latest: Agent;
  /** Paths of what was changed here. */
  mine: readonly string[];
  onClose: () => void;
  onReload: () => void;
  onOverwrite: () => Promise<void>;
}

/** Somebody else saved first: what they changed, and what becomes of it. */
export function Conflict({ before, latest, mine, onClose, onReload, onOverwrite }: ConflictProps) {
  const [isBusy, setBusy] = useState(false);
  const changes = changesBetween(before, latest);
  const isMine = (path: string) =>
    mine.some((own) => own === path || own.startsWith(`${path}.`) || path.startsWith(`${own}.`));
  const overwrite = () => {
    setBusy(true);
    void onOverwrite().finally(() => setBusy(false));
  };
  return (
    <Dialog
      isOpen
      isWide
      onClose={onClose}
      title="Somebody else changed this agent"
      about={
        <>
          Version {latest.version} was saved <Time at={latest.updated_at} />, after you began with version{" "}
          {before.version}.
        </>
      }
    >
      {changes.length > 0 ? (
        <DifferenceList
          changes={changes}
          mark={(path) => isMine(path) && <Badge tone="warn">You changed this too</Badge>}
        />
      ) : (
        <p className="text-muted">It was changed and changed back: nothing is different.</p>
      )}
      <p className="mt-4 text-muted">
        Saving puts your changes on top of theirs: what you did not touch stays as they made it. Loading
        theirs drops what you changed.
      </p>
      <DialogActions>
        <Button onClick={onClose}>Keep editing</Button>
        <Button onClick={onReload}>Load theirs</Button>
        <Button look="primary" isBusy={isBusy} onClick={overwrite}>
          Save mine on top
        </Button>
      </DialogActions>
    </Dialog>
  );
}
