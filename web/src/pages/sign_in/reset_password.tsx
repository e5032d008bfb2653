import { Link, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { resetPassword } from "../../api/session";
import { Button } from "../../ui/button";
import { NewPassword } from "../../ui/new_password";
import { Notice } from "../../ui/states";
import { Card } from "./card";

/** Where the link leads that an administrator hands to somebody who has no password, or has lost it. */
export function ResetPassword() {
  const { token } = useSearch({ from: "/reset-password" });
  const [isDone, setDone] = useState(false);
  if (!token) {
    return (
      <Card title="This link is not complete">
        <p className="text-muted">Open it as it was given to you, or ask an administrator for another one.</p>
      </Card>
    );
  }
  if (isDone) {
    return (
      <Card title="Password changed">
        <Notice tone="ok">You can sign in with it now. All other sessions have ended.</Notice>
        <Button asChild look="primary" className="mt-4 w-full">
          <Link to="/">Sign in</Link>
        </Button>
      </Card>
    );
  }
  return (
    <Card title="Choose a password" about="The link is good once.">
      <NewPassword
        asksCurrent={false}
        action="Set password"
        onSubmit={async (_, fresh) => {
          await resetPassword(token, fresh);
          setDone(true);
        }}
      />
    </Card>
  );
}
