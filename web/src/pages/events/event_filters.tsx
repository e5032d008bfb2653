import { ChevronDown, X } from "lucide-react";
import { useCallback, useMemo } from "react";
import { Button } from "../../ui/button";
import { Checkbox } from "../../ui/field";
import { Popover } from "../../ui/menu";
import { SearchInput } from "../../ui/search";
import { type EventFilter, readPatterns } from "./filter";
import { useEventsSearch } from "./use_events_search";

const kinds = [
  "agent",
  "task",
  "knowledge",
  "session",
  "provider",
  "service",
  "user",
  "login",
  "role",
  "api_key",
  "organisation",
  "dead_letter",
  "message",
];

/** The filter that stands in the address; the same object while it says the same. */
export function useEventFilter(): EventFilter {
  const [{ channel, agent, correlation, q }] = useEventsSearch();
  return useMemo(
    () => ({ channels: readPatterns(channel), agent, correlation, text: q }),
    [channel, agent, correlation, q],
  );
}

function ChannelPicker() {
  const [{ channel }, change] = useEventsSearch();
  const patterns = readPatterns(channel);
  const choose = (next: string[]) => change({ channel: next.join(",") || undefined });
  const setText = useCallback((text: string) => change({ channel: text.trim() || undefined }), [change]);
  return (
    <Popover
      trigger={
        <Button className="max-w-full">
          <span className="truncate">
            {patterns.length === 0 ? "All channels" : `Channels: ${patterns.join(", ")}`}
          </span>
          <ChevronDown aria-hidden className="size-3.5 shrink-0 text-muted" />
        </Button>
      }
    >
      <fieldset className="grid grid-cols-2 gap-x-6 gap-y-1.5">
        <legend className="mb-2 font-medium">Channels</legend>
        {kinds.map((kind) => {
          const pattern = `${kind}:*`;
          const isChosen = patterns.includes(pattern);
          return (
            <label
              key={kind}
              htmlFor={`channel-${kind}`}
              className="flex min-h-6 items-center gap-2 font-mono text-xs"
            >
              <Checkbox
                id={`channel-${kind}`}
                checked={isChosen}
                onChange={() =>
                  choose(isChosen ? patterns.filter((each) => each !== pattern) : [...patterns, pattern])
                }
              />
              {pattern}
            </label>
          );
        })}
      </fieldset>
      <SearchInput
        label="Patterns, such as task:failed"
        value={channel ?? ""}
        onChange={setText}
        className="mt-3 sm:w-full"
      />
    </Popover>
  );
}

const none = { channel: undefined, agent: undefined, correlation: undefined, q: undefined };

/** Channels, agent, request and text, as they stand in the address. */
export function EventFilters() {
  const [{ channel, agent, correlation, q }, change] = useEventsSearch();
  const setAgent = useCallback((text: string) => change({ agent: text.trim() || undefined }), [change]);
  const setText = useCallback((text: string) => change({ q: text.trim() || undefined }), [change]);
  return (
    <>
      <ChannelPicker />
      <SearchInput label="Agent" value={agent ?? ""} onChange={setAgent} className="sm:w-44" />
      <SearchInput label="Find in events" value={q ?? ""} onChange={setText} />
      {correlation && (
        <Button onClick={() => change({ correlation: undefined })} title={correlation} className="max-w-full">
          <span className="truncate">Of one request: {correlation}</span>
          <X aria-label="Show all requests" className="size-3.5 shrink-0" />
        </Button>
      )}
      {(channel || agent || correlation || q) && (
        <Button look="quiet" onClick={() => change(none)}>
          <X aria-hidden className="size-3.5" /> Clear
        </Button>
      )}
    </>
  );
}
