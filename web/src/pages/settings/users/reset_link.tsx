import type { Schemas } from "../../../api/client";
import { Button } from "../../../ui/button";
import { DialogActions } from "../../../ui/dialog";
import { Failure, Skeleton } from "../../../ui/states";
import { PasswordLink } from "../password_link";
import { asUserError } from "./guards";

interface ResetLinkProps {
  /** Whose password it is. */
  name: string;
  /** Until it is there, it is being made. */
  reset: Schemas["PasswordResetToken"] | undefined;
  error: unknown;
  onRetry: () => void;
  onClose: () => void;
}

/** A link for a password: while it is made, and then once. */
export function ResetLink({ name, reset, error, onRetry, onClose }: ResetLinkProps) {
  if (error) return <Failure error={asUserError(error)} onRetry={onRetry} />;
  return (
    <>
      {reset ? <PasswordLink reset={reset} name={name} /> : <Skeleton lines={4} />}
      <DialogActions>
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </DialogActions>
    </>
  );
}
