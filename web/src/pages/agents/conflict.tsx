import { useState } from "react";
import { differences } from "../../lib/differences";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Dialog, DialogActions } from "../../ui/dialog";
import { DifferenceList } from "../../ui/difference_list";
import { Time } from "../../ui/time";
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

/** What is saved as one: "config.tools" of "config.tools[0].name". */
const settingOf = (path: string) => path.split(/[.[]/, 2).join(".");

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
  const changes = differences(settings(before), settings(latest));
  const isMine = (path: string) => mine.some((own) => settingOf(own) === settingOf(path));
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
          differences={changes}
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
