import type { Schemas } from "../../api/client";
import { Secret } from "../../ui/copy";
import { Time } from "../../ui/time";

/** The link with which somebody sets his password, for the administrator to hand on. */
export function PasswordLink({ reset, name }: { reset: Schemas["PasswordResetToken"]; name: string }) {
  const link = `${location.origin}/reset-password?token=${encodeURIComponent(reset.token)}`;
  return (
    <div className="flex flex-col gap-3">
      <p>
        Hand this link to {name} by a way that only they read. It is good once and ends{" "}
        <Time at={reset.expires_at} />.
      </p>
      <Secret value={link} label="link" />
    </div>
  );
}
