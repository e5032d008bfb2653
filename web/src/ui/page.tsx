import type { ReactNode } from "react";
import { useEffect } from "react";
import { cx } from "../lib/classes";

interface PageProps {
  /** The heading, and the tab's title. */
  title: string;
  /** One sentence, or where one is. */
  about?: ReactNode;
  /** Buttons, the most important one last. */
  actions?: ReactNode;
  /** Fills the window and scrolls inside, for tables and chats. */
  isFull?: boolean;
  children: ReactNode;
}

/** Every page begins with this: its title, what it is about, what can be done. */
export function Page({ title, about, actions, isFull, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Agent Lightning`;
  }, [title]);
  return (
    <div
      className={cx(
        "mx-auto flex w-full max-w-[1440px] flex-col gap-4 p-4 md:p-6",
        isFull && "h-[calc(100dvh-3rem)] min-h-96",
      )}
    >
      <header className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0 flex-1 basis-48">
          <h1 className="text-xl font-semibold tracking-tight break-words">{title}</h1>
          {about && <div className="mt-0.5 text-muted">{about}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface PanelProps {
  title?: ReactNode;
  /** Beside the title, small. */
  about?: ReactNode;
  actions?: ReactNode;
  /** Without padding, for tables and lists that reach the border. */
  isFlush?: boolean;
  className?: string;
  children: ReactNode;
}

/** A part of a page with a border of its own. Panels do not nest. */
export function Panel({ title, about, actions, isFlush, className, children }: PanelProps) {
  return (
    <section
      // What reaches the border keeps within its corners.
      className={cx(
        "flex min-w-0 flex-col rounded-lg border border-line bg-surface shadow-card",
        isFlush && "overflow-clip",
        className,
      )}
    >
      {(title || actions) && (
        <header className="flex min-h-11 flex-wrap items-center justify-between gap-x-2 border-b border-line px-4 py-1.25">
          <div className="flex min-h-8 min-w-0 flex-wrap content-center items-baseline gap-x-2">
            {title && <h2 className="text-base font-semibold">{title}</h2>}
            {about && <span className="text-xs text-muted">{about}</span>}
          </div>
          {actions && <div className="flex items-center gap-1">{actions}</div>}
        </header>
      )}
      <div className={cx("min-h-0 flex-1", !isFlush && "p-4")}>{children}</div>
    </section>
  );
}

interface FigureProps {
  name: string;
  value: ReactNode;
  about?: ReactNode;
  /** How it came to that: a sparkline. */
  children?: ReactNode;
}

/** One figure with its name. */
export function Figure({ name, value, about, children }: FigureProps) {
  return (
    <div className="flex min-w-0 flex-col rounded-lg border border-line bg-surface px-4 py-3 shadow-card">
      <div className="truncate text-xs font-medium text-muted">{name}</div>
      <div className="mt-1 text-xl font-semibold tracking-tight whitespace-nowrap tabular-nums">{value}</div>
      {about && <div className="mt-0.5 truncate text-xs text-muted">{about}</div>}
      {children && <div className="mt-auto pt-2">{children}</div>}
    </div>
  );
}

/** Names and values, one a line. */
export function Facts({ facts }: { facts: [name: string, value: ReactNode][] }) {
  return (
    <dl className="grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-4 gap-y-1.5">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0 break-words">{value ?? "–"}</dd>
        </div>
      ))}
    </dl>
  );
}
