import { useQueryClient } from "@tanstack/react-query";
import { RotateCw, Trash2 } from "lucide-react";
import { $api, refreshPaths, type Schemas } from "../../api/client";
import { useCan } from "../../api/hooks";
import type { LiveEvent } from "../../api/live";
import { StateBadge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Confirm, Dialog } from "../../ui/dialog";
import { Json } from "../../ui/json";
import { Facts } from "../../ui/page";
import { Loaded, Notice } from "../../ui/states";
import { Time } from "../../ui/time";
import { toast, toastError } from "../../ui/toast";
import { meaningOfState } from "./dead_letter_parts";
import { ChannelBadge, HistoryLink } from "./event_columns";

type DeadLetter = Schemas["DeadLetter"];

/** One dead letter: its error, its event, and what can be done. */
export function DeadLetterSheet({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  return (
    <Dialog isOpen={id !== undefined} onClose={onClose} isSheet isWide title="Dead letter">
      {id !== undefined && <Contents id={id} onClose={onClose} />}
    </Dialog>
  );
}

function Contents({ id, onClose }: { id: string; onClose: () => void }) {
  const letter = $api.useQuery("get", "/api/v1/dead-letters/{dead_letter_id}", {
    params: { path: { dead_letter_id: id } },
  });
  return (
    <Loaded query={letter} lines={6}>
      {(data) => (
        <div className="flex flex-col gap-4">
          <Deeds letter={data} onGone={onClose} />
          {data.error && <Notice tone="danger">{data.error}</Notice>}
          <Facts facts={factsOf(data)} />
          <section className="flex flex-col gap-1.5">
            <h3 className="font-medium">The event</h3>
            <Json value={data.event} />
          </section>
        </div>
      )}
    </Loaded>
  );
}

function factsOf(letter: DeadLetter): Parameters<typeof Facts>[0]["facts"] {
  const { channel, aggregate_id, aggregate_version } = letter;
  const event: Pick<LiveEvent, "channel" | "aggregate_id" | "version"> = {
    channel,
    aggregate_id,
    version: aggregate_version,
  };
  const state = letter.state === "dropped" ? undefined : meaningOfState[letter.state];
  return [
    ["State", <StateBadge key="state" state={letter.state} />],
    ["Meaning", state],
    ["Consumer", letter.consumer],
    ["Channel", <ChannelBadge key="channel" channel={channel} />],
    [
      "Of",
      <HistoryLink key="of" event={event} className="font-mono text-xs break-all text-accent underline" />,
    ],
    ["Version", aggregate_version],
    ["Tries", letter.attempts],
    ["Last failed", <Time key="failed" at={letter.failed_at} />],
    ["Next try", <Time key="next" at={letter.next_try_at} />],
    ["Order", letter.is_out_of_order ? "Later events of its aggregate went before it." : "In order"],
  ];
}

function Deeds({ letter, onGone }: { letter: DeadLetter; onGone: () => void }) {
  const mayWrite = useCan("events:write");
  const queries = useQueryClient();
  const retry = $api.useMutation("post", "/api/v1/dead-letters/{dead_letter_id}/retry");
  const drop = $api.useMutation("delete", "/api/v1/dead-letters/{dead_letter_id}");
  if (!mayWrite) return null;
  const params = { path: { dead_letter_id: letter.id } };
  const retryNow = () =>
    retry.mutate(
      { params },
      {
        onSuccess: () => {
          toast("It is handled once more");
          refreshPaths("/api/v1/dead-letters", "/api/v1/consumers");
        },
        onError: (error) => toastError("Not retried", error),
      },
    );
  const dropNow = () =>
    drop.mutateAsync({ params }).then(
      () => {
        toast("Dead letter dropped");
        onGone();
        queries.removeQueries({
          predicate: ({ queryKey }) => queryKey[1] === "/api/v1/dead-letters/{dead_letter_id}",
        });
        refreshPaths("/api/v1/dead-letters", "/api/v1/consumers");
      },
      (error) => {
        toastError("Not dropped", error);
        throw error;
      },
    );
  if (letter.state !== "parked")
    return <Notice tone="accent">It can be retried or dropped once it is parked.</Notice>;
  return (
    <div className="flex flex-wrap gap-2">
      <Button look="primary" isBusy={retry.isPending} onClick={retryNow}>
        <RotateCw aria-hidden className="size-3.5" /> Retry
      </Button>
      <Confirm
        title="Drop this dead letter?"
        action="Drop it"
        onConfirm={dropNow}
        trigger={
          <Button>
            <Trash2 aria-hidden className="size-3.5" /> Drop
          </Button>
        }
      >
        {letter.consumer} will never handle this event. The event itself stays in the log. This cannot be
        undone.
      </Confirm>
    </div>
  );
}
