import { Slot } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "../lib/classes";
import { Tooltip } from "./tooltip";

type Look = "primary" | "plain" | "quiet" | "danger";

const looks: Record<Look, string> = {
  primary: "bg-accent-strong text-on-accent hover:brightness-110",
  plain: "border border-edge/50 bg-raised text-text hover:bg-hover",
  quiet: "text-muted hover:bg-hover hover:text-text",
  danger: "bg-danger-strong text-on-accent hover:brightness-110",
};

interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  /** Renders its only child instead of a button: `<Button asChild><Link …/></Button>`. */
  asChild?: boolean;
  isBusy?: boolean;
  /** As wide as it is high, for an icon. */
  isSquare?: boolean;
}

export function Button({
  look = "plain",
  asChild,
  isBusy,
  isSquare,
  className,
  disabled,
  ...rest
}: ButtonProps) {
  const Tag = asChild ? Slot.Root : "button";
  return (
    <Tag
      {...(asChild
        ? {}
        : { type: "button" as const, disabled: disabled || isBusy, "aria-busy": isBusy || undefined })}
      {...rest}
      className={cx(
        "inline-flex h-8 shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap",
        "transition-colors disabled:cursor-not-allowed disabled:opacity-50",
        isSquare ? "w-8" : "px-3",
        looks[look],
        className,
      )}
    />
  );
}

interface IconButtonProps extends Omit<ButtonProps, "asChild"> {
  /** What it does; shown as a tooltip and read aloud. */
  label: string;
  children: ReactNode;
}

/** A button that is only an icon. */
export function IconButton({ label, look = "quiet", className, ...rest }: IconButtonProps) {
  return (
    <Tooltip text={label}>
      <Button look={look} aria-label={label} isSquare className={className} {...rest} />
    </Tooltip>
  );
}
