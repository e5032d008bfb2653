import { useState } from "react";
import { refreshPaths } from "../../../api/client";
import { useMe } from "../../../api/hooks";
import { changePassword } from "../../../api/session";
import { NewPassword } from "../../../ui/new_password";
import { Page, Panel } from "../../../ui/page";
import { toast } from "../../../ui/toast";
import { SecondFactor } from "./second_factor";

/** What you prove yourself with. */
export function Security() {
  return (
    <Page title="Security" about="What you sign in with.">
      <div className="grid items-start gap-4 xl:grid-cols-2">
        <Password />
        <SecondFactor />
      </div>
    </Page>
  );
}

function Password() {
  const { user } = useMe();
  const [changes, setChanges] = useState(0);
  const change = async (current: string, fresh: string) => {
    await changePassword(current, fresh);
    refreshPaths("/api/v1/auth/logins");
    toast("Password changed. Your other sessions have ended.");
    setChanges(changes + 1);
  };
  return (
    <Panel title="Password">
      <div className="max-w-sm">
        <NewPassword
          key={changes}
          asksCurrent
          email={user.email}
          action="Change password"
          onSubmit={change}
        />
      </div>
    </Panel>
  );
}
