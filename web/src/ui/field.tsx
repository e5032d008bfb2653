import { ChevronDown } from "lucide-react";
import type { ComponentProps, ReactElement, ReactNode } from "react";
import { cloneElement, useId } from "react";
import { cx } from "../lib/classes";

const control = cx(
  "w-full rounded-md border border-edge/60 bg-surface text-text placeholder:text-muted",
  "disabled:cursor-not-allowed disabled:opacity-60 aria-invalid:border-danger",
);

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input {...rest} className={cx(control, "h-8 px-2.5", className)} />;
}

export function TextArea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea rows={4} {...rest} className={cx(control, "min-h-8 resize-y px-2.5 py-1.5", className)} />;
}

/** The browser's own, which every keyboard, screen reader and phone knows. */
export function Select({ className, ...rest }: ComponentProps<"select">) {
  return (
    <span className={cx("relative block w-full", className)}>
      <select {...rest} className={cx(control, "h-8 appearance-none truncate pr-8 pl-2.5")} />
      <ChevronDown
        aria-hidden
        className="pointer-events-none absolute top-2.25 right-2.5 size-3.5 text-muted"
      />
    </span>
  );
}

export function Checkbox({ className, ...rest }: Omit<ComponentProps<"input">, "type">) {
  return <input type="checkbox" {...rest} className={cx("size-4 accent-accent-strong", className)} />;
}

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string;
  isRequired?: boolean;
  className?: string;
  /** One control; it gets id and aria attributes. */
  children: ReactElement<{
    id?: string;
    "aria-describedby"?: string;
    "aria-invalid"?: boolean;
    required?: boolean;
  }>;
}

/** A control with its label, what to put in, and what is wrong with it. */
export function Field({ label, hint, error, isRequired, className, children }: FieldProps) {
  const id = useId();
  return (
    <div className={cx("flex flex-col gap-1", className)}>
      <label htmlFor={id} className="font-medium">
        {label}
        {isRequired && <span className="text-muted"> (required)</span>}
      </label>
      {cloneElement(children, {
        id,
        "aria-describedby": hint || error ? `${id}-about` : undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {(hint || error) && (
        <div
          id={`${id}-about`}
          className={cx("text-xs first-letter:uppercase", error ? "text-danger" : "text-muted")}
        >
          {error ?? hint}
        </div>
      )}
    </div>
  );
}
