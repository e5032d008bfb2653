import { X } from "lucide-react";
import { Toast as Radix } from "radix-ui";
import { useSyncExternalStore } from "react";
import { asApiError } from "../api/problem";
import { cx } from "../lib/classes";
import { IconButton } from "./button";

interface Message {
  id: number;
  tone: "ok" | "danger";
  text: string;
  detail?: string;
}

const shownMax = 4;
let messages: Message[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function set(next: Message[]) {
  messages = next;
  for (const listener of listeners) listener();
}

function add(message: Omit<Message, "id">) {
  set([...messages, { ...message, id: ++lastId }].slice(-shownMax));
}

/** Something that was asked for has been done. */
export const toast = (text: string) => add({ tone: "ok", text });

/** Something that was asked for has not been done, and why. */
export const toastError = (text: string, error: unknown) =>
  add({ tone: "danger", text, detail: asApiError(error).message });

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => messages,
  );
  return (
    <Radix.Provider swipeDirection="right">
      {shown.map((message) => (
        <Radix.Root
          key={message.id}
          duration={message.tone === "ok" ? 4000 : 10_000}
          onOpenChange={(open) => !open && set(messages.filter((each) => each.id !== message.id))}
          className="flex w-80 animate-slide-in items-start gap-2 rounded-md bg-raised p-3 shadow-float"
        >
          <span
            aria-hidden
            className={cx(
              "mt-1.5 size-2 shrink-0 rounded-full",
              message.tone === "ok" ? "bg-ok" : "bg-danger",
            )}
          />
          <div className="min-w-0 flex-1">
            <Radix.Title className="font-medium">{message.text}</Radix.Title>
            {message.detail && (
              <Radix.Description className="break-words text-muted">{message.detail}</Radix.Description>
            )}
          </div>
          <Radix.Close asChild>
            <IconButton label="Dismiss" className="-m-1.5">
              <X aria-hidden className="size-3.5" />
            </IconButton>
          </Radix.Close>
        </Radix.Root>
      ))}
      <Radix.Viewport className="fixed right-4 bottom-4 z-50 flex max-w-[calc(100vw-2rem)] flex-col gap-2 outline-none" />
    </Radix.Provider>
  );
}
