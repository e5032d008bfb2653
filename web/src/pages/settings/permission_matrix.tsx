import { Check, Minus } from "lucide-react";
import { Fragment, useId } from "react";
import { permits } from "../../api/session";
import { cx } from "../../lib/classes";
import { formatWords } from "../../lib/format";
import { Checkbox } from "../../ui/field";
import { catalogueWith, everything, isCovered, type Resource, withPermission } from "./permissions";

interface PermissionMatrixProps {
  label: string;
  permissions: readonly string[];
  /** Without it there is nothing to choose, only to read. */
  onChange?: (permissions: string[]) => void;
  /** What may be given at all: what the user has. */
  grantable?: readonly string[];
}

const shared = ["read", "write"];

/** What may be done with what: resources down, actions across. */
export function PermissionMatrix({ label, permissions, onChange, grantable }: PermissionMatrixProps) {
  const about = useId();
  const cell = (permission: string, name: string) => (
    <Cell
      permission={permission}
      name={name}
      permissions={permissions}
      onChange={onChange}
      canGrant={!grantable || permits(grantable, permission)}
    />
  );
  return (
    // What scrolls must be reachable by keyboard; with boxes to tick it is.
    <div tabIndex={onChange ? undefined : 0} className="overflow-x-auto rounded-md border border-line">
      <table aria-label={label} aria-describedby={onChange ? about : undefined} className="w-full">
        <thead className="text-xs text-muted">
          <tr className="border-b border-line">
            <th className="h-8 px-3 text-left font-medium">Resource</th>
            {["All", "Read", "Write", "More"].map((name) => (
              <th key={name} scope="col" className="w-14 px-1 font-medium last:w-28">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr className="border-b border-line">
            <th scope="row" className="h-9 px-3 text-left font-medium">
              Everything
            </th>
            <td className="text-center">{cell(everything, "Everything")}</td>
            <td colSpan={3} className="px-2 text-xs text-muted">
              also what is yet to come
            </td>
          </tr>
          {catalogueWith(permissions).map((group) => (
            <Fragment key={group.name}>
              <tr className="border-b border-line bg-sunken">
                <th
                  colSpan={5}
                  scope="rowgroup"
                  className="h-7 px-3 text-left text-xs font-medium text-muted"
                >
                  {group.name}
                </th>
              </tr>
              {group.resources.map((resource) => (
                <Row key={resource.id} resource={resource} cell={cell} />
              ))}
            </Fragment>
          ))}
        </tbody>
      </table>
      {onChange && (
        <p id={about} className="border-t border-line px-3 py-2 text-xs text-muted">
          “All” holds for actions of the resource that later versions add, too. What you may not do yourself
          cannot be chosen.
        </p>
      )}
    </div>
  );
}

interface RowProps {
  resource: Resource;
  cell: (permission: string, name: string) => React.ReactNode;
}

function Row({ resource: { id, name, actions }, cell }: RowProps) {
  const own = actions.filter((action) => !shared.includes(action));
  const words = name.charAt(0).toLowerCase() + name.slice(1);
  return (
    <tr className="border-b border-line/60 last:border-0">
      <th scope="row" className="h-8 px-3 text-left font-normal">
        {name}
      </th>
      <td className="text-center">{cell(`${id}:*`, `All of ${words}`)}</td>
      {shared.map((action) => (
        <td key={action} className="text-center">
          {actions.includes(action) && cell(`${id}:${action}`, `${formatWords(action)} ${words}`)}
        </td>
      ))}
      <td className="px-2">
        <div className="flex flex-wrap gap-x-3">
          {own.map((action) => (
            <span key={action} className="inline-flex items-center gap-1.5 text-xs text-muted">
              {cell(`${id}:${action}`, `${formatWords(action)} ${words}`)}
              {formatWords(action)}
            </span>
          ))}
        </div>
      </td>
    </tr>
  );
}

interface CellProps {
  permission: string;
  name: string;
  permissions: readonly string[];
  onChange?: (permissions: string[]) => void;
  canGrant: boolean;
}

function Cell({ permission, name, permissions, onChange, canGrant }: CellProps) {
  const isHeld = permits(permissions, permission);
  if (!onChange) return <Mark isHeld={isHeld} />;
  const isFixed = isCovered(permissions, permission) || (!canGrant && !isHeld);
  return (
    <Checkbox
      aria-label={name}
      checked={isHeld}
      disabled={isFixed}
      onChange={(event) => onChange(withPermission(permissions, permission, event.target.checked))}
      className={cx("align-middle", isFixed && "cursor-not-allowed")}
    />
  );
}

function Mark({ isHeld }: { isHeld: boolean }) {
  const Icon = isHeld ? Check : Minus;
  return (
    <span className="inline-flex align-middle">
      <Icon aria-hidden className={cx("size-4", isHeld ? "text-ok" : "text-line")} />
      <span className="sr-only">{isHeld ? "yes" : "no"}</span>
    </span>
  );
}
