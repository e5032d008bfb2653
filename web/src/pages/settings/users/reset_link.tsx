import { useMutation } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "../../../api/client";
import { Button } from "../../../ui/button";
import { DialogActions } from "../../../ui/dialog";
import { Failure, Skeleton } from "../../../ui/states";
import { answerOf, type PasswordResetToken } from "../answers";
import type { User } from "../lists";
import { PasswordLink } from "../password_link";
import { asUserError } from "./guards";

/** Makes a link for a password, and shows it once. */
export function ResetLink({ user, onClose }: { user: User; onClose: () => void }) {
  const { mutate, data, error } = useMutation({
    mutationFn: async (userId: string) => {
      const params = { path: { user_id: userId } };
      return answerOf<PasswordResetToken>(
        await api.POST("/api/v1/users/{user_id}/password-reset", { params }),
      );
    },
  });
  useEffect(() => mutate(user.id), [mutate, user.id]);
  if (error) return <Failure error={asUserError(error)} onRetry={() => mutate(user.id)} />;
  return (
    <>
      {data ? <PasswordLink reset={data} name={user.full_name || user.email} /> : <Skeleton lines={4} />}
      <DialogActions>
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </DialogActions>
    </>
  );
}
