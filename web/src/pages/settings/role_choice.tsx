import { useId } from "react";
import { useMe } from "../../api/hooks";
import { Checkbox } from "../../ui/field";
import { lacking, permittedInShort } from "./permissions";
import { useRoles } from "./use_roles";

interface RoleChoiceProps {
  value: readonly string[];
  onChange: (roles: string[]) => void;
  error?: string;
  /** Without those of this organisation, for a user of another one. */
  isBuiltInOnly?: boolean;
}

/** Roles to tick. Those that give more than the user has cannot be given. */
export function RoleChoice({ value, onChange, error, isBuiltInOnly }: RoleChoiceProps) {
  const { permissions } = useMe();
  const roles = useRoles().data?.filter((role) => role.built_in || !isBuiltInOnly) ?? [];
  const gone = value.filter((held) => !roles.some((role) => role.id === held));
  const toggle = (id: string, isOn: boolean) =>
    onChange(isOn ? [...value, id] : value.filter((held) => held !== id));
  return (
    <fieldset>
      <legend className="mb-1 font-medium">Roles</legend>
      <div className="flex flex-col rounded-md border border-line">
        {roles.map(({ id, description, permissions: given }) => {
          const missing = lacking(permissions, given);
          return (
            <Choice
              key={id}
              id={id}
              about={
                missing.length > 0
                  ? `Gives more than you may: ${missing.slice(0, 3).join(", ")}.`
                  : description || permittedInShort(given)
              }
              isChecked={value.includes(id)}
              isDisabled={missing.length > 0 && !value.includes(id)}
              onChange={(isOn) => toggle(id, isOn)}
            />
          );
        })}
        {gone.map((id) => (
          <Choice
            key={id}
            id={id}
            about="There is no such role any more: it gives nothing."
            isChecked
            onChange={(isOn) => toggle(id, isOn)}
          />
        ))}
      </div>
      {error && (
        <p role="alert" className="mt-1 text-xs text-danger">
          {error}
        </p>
      )}
    </fieldset>
  );
}

interface ChoiceProps {
  id: string;
  about: string;
  isChecked: boolean;
  isDisabled?: boolean;
  onChange: (isOn: boolean) => void;
}

function Choice({ id, about, isChecked, isDisabled, onChange }: ChoiceProps) {
  const control = useId();
  return (
    <label
      htmlFor={control}
      className="flex items-start gap-2.5 border-b border-line/60 px-3 py-2 last:border-0"
    >
      <Checkbox
        id={control}
        className="mt-0.5"
        aria-label={id}
        checked={isChecked}
        disabled={isDisabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span className="min-w-0">
        <span className="font-medium">{id}</span>
        <span className="block text-xs text-muted">{about}</span>
      </span>
    </label>
  );
}
