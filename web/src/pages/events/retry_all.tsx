import { RotateCw } from "lucide-react";
import { useState } from "react";
import { api, refreshPaths } from "../../api/client";
import { useCan } from "../../api/hooks";
import { formatCount } from "../../lib/format";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { toast, toastError } from "../../ui/toast";
import { useParked } from "./dead_letter_parts";
import { untilNone } from "./until_none";
import { useEventsSearch } from "./use_events_search";

/** Each call takes up to 500. */
const callsMax = 200;

/** Has everything handled once more that is parked for the consumer and channel in the address. */
export function RetryAll() {
  const mayWrite = useCan("events:write");
  const [{ consumer, channel }] = useEventsSearch();
  const [done, setDone] = useState(0);
  const parked = useParked();
  if (!mayWrite) return null;
  const retry = async () => {
    setDone(0);
    const query = { consumer, channel };
    try {
      const total = await untilNone(callsMax, async () => {
        const { data } = await api.POST("/api/v1/dead-letters/retry", { params: { query } });
        const retried = data?.retried ?? 0;
        setDone((before) => before + retried);
        return retried;
      });
      toast(total === 0 ? "Nothing was parked" : `${formatCount(total)} are handled once more`);
    } catch (error) {
      toastError("Not all were retried", error);
      throw error;
    } finally {
      refreshPaths("/api/v1/dead-letters", "/api/v1/consumers");
    }
  };
  const of = [consumer ? `of ${consumer}` : "of all consumers", channel && `on ${channel}`];
  return (
    <Confirm
      title="Retry all that are parked?"
      action="Retry all"
      onConfirm={retry}
      trigger={
        <Button disabled={parked.data?.count === 0}>
          <RotateCw aria-hidden className="size-3.5" /> Retry all parked
        </Button>
      }
    >
      Those {of.filter(Boolean).join(" ")} are handled once more, out of order: later events of the same
      things went before. What fails again is parked again.
      {done > 0 && <span role="status"> {formatCount(done)} so far.</span>}
    </Confirm>
  );
}
