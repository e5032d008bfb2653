import { DropdownMenu as Radix, Popover as RadixPopover } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "../lib/classes";

const floating = "z-50 animate-appear rounded-md bg-raised p-1 shadow-float";
const row = cx(
  "flex min-h-8 w-full cursor-pointer items-center gap-2 rounded-sm px-2 outline-none select-none",
  "data-[disabled]:cursor-not-allowed data-[disabled]:opacity-50 data-[highlighted]:bg-hover",
);

interface MenuProps {
  trigger: ReactNode;
  /** For who makes the menu only when it is asked for. */
  isOpenAtFirst?: boolean;
  children: ReactNode;
}

/** Things to do, behind one button. */
export function Menu({ trigger, isOpenAtFirst, children }: MenuProps) {
  return (
    <Radix.Root defaultOpen={isOpenAtFirst}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content align="end" sideOffset={4} collisionPadding={8} className={cx(floating, "min-w-44")}>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface MenuItemProps {
  onSelect?: () => void;
  isDanger?: boolean;
  isDisabled?: boolean;
  /** Renders its only child, a link, as the item. */
  asChild?: boolean;
  children: ReactNode;
}

export function MenuItem({ onSelect, isDanger, isDisabled, asChild, children }: MenuItemProps) {
  return (
    <Radix.Item
      asChild={asChild}
      disabled={isDisabled}
      onSelect={onSelect}
      className={cx(row, isDanger && "text-danger")}
    >
      {children}
    </Radix.Item>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="px-2 py-1 text-xs text-muted">{children}</Radix.Label>;
}

export const MenuLine = () => <Radix.Separator className="my-1 h-px bg-line" />;

/** Anything, beside its button: filters, choices. */
export function Popover({ trigger, children }: { trigger: ReactNode; children: ReactNode }) {
  return (
    <RadixPopover.Root>
      <RadixPopover.Trigger asChild>{trigger}</RadixPopover.Trigger>
      <RadixPopover.Portal>
        <RadixPopover.Content
          align="start"
          sideOffset={4}
          collisionPadding={8}
          className={cx(floating, "min-w-52 p-3")}
        >
          {children}
        </RadixPopover.Content>
      </RadixPopover.Portal>
    </RadixPopover.Root>
  );
}
