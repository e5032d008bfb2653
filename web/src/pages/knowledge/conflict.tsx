import { useEffect, useRef } from "react";
import { formatWords } from "../../lib/format";
import { Button } from "../../ui/button";
import { Notice } from "../../ui/states";
import { changedFields, type FieldName, type ItemValues } from "./item_values";

interface ConflictProps {
  before: ItemValues;
  theirs: ItemValues;
  mine: ItemValues;
  onTakeTheirs: () => void;
}

/** Somebody else saved meanwhile: what they changed, and what happens to it. */
export function Conflict({ before, theirs, mine, onTakeTheirs }: ConflictProps) {
  const changed = changedFields(before, theirs);
  const mineToo = new Set(changedFields(before, mine));
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // A block: in newer browsers it answers a promise, which is no clean-up.
    place.current?.scrollIntoView({ block: "center" });
  }, []);
  return (
    <div ref={place}>
      <Notice>
        <p className="font-medium">Somebody else saved this item meanwhile; nothing of yours is saved yet.</p>
        <dl className="mt-2 flex flex-col gap-2">
          {changed.map((name) => (
            <div key={name}>
              <dt className="font-medium">
                {formatWords(name)}
                {mineToo.has(name) ? ": changed by both, yours would replace theirs" : ": theirs stays"}
              </dt>
              <dd className="line-clamp-4 text-text break-words whitespace-pre-wrap">
                {shown(theirs, name)}
              </dd>
            </div>
          ))}
        </dl>
        <Button className="mt-3" onClick={onTakeTheirs}>
          Discard mine and take theirs
        </Button>
      </Notice>
    </div>
  );
}

function shown(values: ItemValues, name: FieldName): string {
  const value = values[name];
  return (Array.isArray(value) ? value.join(", ") : value) || "–";
}
