import { Tooltip } from "radix-ui";
import { type ReactNode, useEffect } from "react";
import { Mark } from "../../app/mark";
import { Toasts } from "../../ui/toast";

/** The frame of the pages before the application. */
export function Card({ title, about, children }: { title: string; about?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Agent Lightning`;
  }, [title]);
  return (
    <Tooltip.Provider>
      <main className="grid min-h-dvh place-items-center p-4">
        <div className="w-full max-w-sm rounded-lg border border-line bg-surface p-6 shadow-card">
          <Mark className="size-9" />
          <h1 className="mt-4 text-xl font-semibold tracking-tight">{title}</h1>
          {about && <p className="mt-1 text-muted">{about}</p>}
          <div className="mt-5">{children}</div>
        </div>
      </main>
      <Toasts />
    </Tooltip.Provider>
  );
}
