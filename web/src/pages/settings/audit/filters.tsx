import { X } from "lucide-react";
import type { People } from "../../../api/people";
import { Button } from "../../../ui/button";
import { Select } from "../../../ui/field";
import { SearchInput } from "../../../ui/search";
import { type AuditFilter, actions, actionWords } from "./entries";

interface FiltersProps {
  filter: AuditFilter;
  people: People;
  onChange: (filter: AuditFilter) => void;
}

export function Filters({ filter, people, onChange }: FiltersProps) {
  const set = (change: AuditFilter) => onChange({ ...filter, ...change });
  const { actor, action, target, outcome } = filter;
  const isFiltered = Boolean(actor || action || target || outcome);
  return (
    <search className="grid grid-cols-2 gap-2 sm:flex sm:flex-wrap" aria-label="Filters">
      <Select
        aria-label="Action"
        className="sm:w-44"
        value={action ?? ""}
        onChange={(event) => set({ action: event.target.value || undefined })}
      >
        <option value="">Any action</option>
        {withChosen(Object.keys(actions), action).map((each) => (
          <option key={each} value={each}>
            {actionWords(each)}
          </option>
        ))}
      </Select>
      <Select
        aria-label="By whom"
        className="sm:w-44"
        value={actor ?? ""}
        onChange={(event) => set({ actor: event.target.value || undefined })}
      >
        <option value="">By anybody</option>
        {withChosen([...people.keys()].filter(Boolean), actor).map((id) => (
          <option key={id} value={id}>
            {people.get(id)?.name ?? id}
          </option>
        ))}
      </Select>
      <Select
        aria-label="Outcome"
        className="sm:w-36"
        value={outcome ?? ""}
        onChange={(event) => set({ outcome: (event.target.value || undefined) as AuditFilter["outcome"] })}
      >
        <option value="">Any outcome</option>
        <option value="succeeded">Succeeded</option>
        <option value="refused">Refused</option>
      </Select>
      <SearchInput
        label="Id or address"
        value={target ?? ""}
        onChange={(text) => set({ target: text.trim() || undefined })}
      />
      {isFiltered && (
        <Button look="quiet" onClick={() => onChange({})}>
          <X aria-hidden className="size-4" /> Clear filters
        </Button>
      )}
    </search>
  );
}

/** What stands in the address is shown, also when it is not among the known ones. */
const withChosen = (known: readonly string[], chosen: string | undefined) =>
  chosen && !known.includes(chosen) ? [...known, chosen] : known;
