import { X } from "lucide-react";
import { AlertDialog, Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { useState } from "react";
import { cx } from "../lib/classes";
import { Button, IconButton } from "./button";

// All layers have one height, so that what opens later lies above.
const scrim = "fixed inset-0 z-40 animate-appear bg-scrim";

interface DialogProps {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  about?: ReactNode;
  /** From the right, as high as the window: for details beside a list and for long forms. */
  isSheet?: boolean;
  isWide?: boolean;
  children: ReactNode;
}

/** On the first button its tooltip would open, and take the first Escape. */
function focusContent(event: Event) {
  event.preventDefault();
  (event.currentTarget as HTMLElement).focus();
}

export function Dialog({ isOpen, onClose, ...content }: DialogProps) {
  return (
    <Radix.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={scrim} />
        <DialogContent {...content} />
      </Radix.Portal>
    </Radix.Root>
  );
}

function DialogContent({ title, about, isSheet, isWide, children }: Omit<DialogProps, "isOpen" | "onClose">) {
  // Radix gives the focus back to a trigger, and what opens our dialogs stands elsewhere.
  const [opener] = useState(() => document.activeElement);
  return (
    <Radix.Content
      {...(about ? {} : { "aria-describedby": undefined })}
      onOpenAutoFocus={focusContent}
      onCloseAutoFocus={() => opener instanceof HTMLElement && opener.focus()}
      className={cx(
        "fixed z-40 flex flex-col bg-raised shadow-float outline-none",
        isSheet
          ? "inset-y-0 right-0 w-full max-w-xl animate-slide-in"
          : "top-[8vh] left-1/2 max-h-[84vh] w-[calc(100vw-2rem)] -translate-x-1/2 rounded-lg",
        !isSheet && (isWide ? "max-w-3xl" : "max-w-lg"),
        isSheet && isWide && "max-w-3xl",
      )}
    >
      <header className="flex items-start justify-between gap-3 border-b border-line px-5 py-3">
        <div className="min-w-0">
          <Radix.Title className="py-1 text-lg font-semibold break-words">{title}</Radix.Title>
          {about && <Radix.Description className="text-muted">{about}</Radix.Description>}
        </div>
        <Radix.Close asChild>
          <IconButton label="Close">
            <X aria-hidden className="size-4" />
          </IconButton>
        </Radix.Close>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">{children}</div>
    </Radix.Content>
  );
}

/** The buttons at the end of a form in a dialog. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="mt-5 flex flex-wrap justify-end gap-2">{children}</div>;
}

interface QuestionProps {
  title: string;
  /** What will happen, and whether it can be undone. */
  children: ReactNode;
  /** What the button says that does it. */
  action: string;
  onConfirm: () => Promise<unknown> | undefined | void;
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  /** The button that asks. */
  trigger?: ReactNode;
}

/** As `Confirm`, for what is asked from a menu, which is closed by then. */
export function Question({
  title,
  children,
  action,
  onConfirm,
  isOpen,
  onOpenChange,
  trigger,
}: QuestionProps) {
  const [isBusy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      onOpenChange(false);
    } catch {
      // Whoever does it says what went wrong; the question stays.
    } finally {
      setBusy(false);
    }
  };
  return (
    <AlertDialog.Root open={isOpen} onOpenChange={onOpenChange}>
      {trigger && <AlertDialog.Trigger asChild>{trigger}</AlertDialog.Trigger>}
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={scrim} />
        <AlertDialog.Content className="fixed top-[20vh] left-1/2 z-40 w-[calc(100vw-2rem)] max-w-md -translate-x-1/2 rounded-lg bg-raised p-5 shadow-float">
          <AlertDialog.Title className="text-lg font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="mt-1 text-muted">{children}</div>
          </AlertDialog.Description>
          <DialogActions>
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <Button look="danger" isBusy={isBusy} onClick={() => void confirm()}>
              {action}
            </Button>
          </DialogActions>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

type ConfirmProps = Omit<QuestionProps, "isOpen" | "onOpenChange"> & { trigger: ReactNode };

/** Asks before what cannot be undone. */
export function Confirm(props: ConfirmProps) {
  const [isOpen, setOpen] = useState(false);
  return <Question {...props} isOpen={isOpen} onOpenChange={setOpen} />;
}
