import { useBlocker } from "@tanstack/react-router";
import { useRef } from "react";
import { Question } from "../../ui/dialog";

/** Asks before a page with changes is left. `allow()` lets the next step go without asking. */
export function useUnsavedWarning(hasChanges: boolean) {
  const isAllowed = useRef(false);
  const mustAsk = () => hasChanges && !isAllowed.current;
  const blocker = useBlocker({ shouldBlockFn: mustAsk, enableBeforeUnload: mustAsk, withResolver: true });
  const dialog = (
    <Question
      isOpen={blocker.status === "blocked"}
      onOpenChange={(isOpen) => !isOpen && blocker.reset?.()}
      title="Leave without saving?"
      action="Discard changes"
      onConfirm={() => blocker.proceed?.()}
    >
      What you changed here is lost.
    </Question>
  );
  return {
    dialog,
    allow: () => {
      isAllowed.current = true;
    },
  };
}
