import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { cx } from "../lib/classes";
import { Input } from "./field";

interface SearchInputProps {
  value: string;
  /** Called when typing has paused. */
  onChange: (value: string) => void;
  label: string;
  className?: string;
}

const pauseMs = 250;

export function SearchInput({ value, onChange, label, className }: SearchInputProps) {
  const [text, setText] = useState(value);
  // A live page draws more often than typing pauses, and may hand over another function each time.
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => latest.current(text), pauseMs);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <div className={cx("relative w-full sm:w-64", className)}>
      <Search aria-hidden className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted" />
      <Input
        type="search"
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="pl-8"
      />
    </div>
  );
}
