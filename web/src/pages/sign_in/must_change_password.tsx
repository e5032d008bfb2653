import { useMe } from "../../api/hooks";
import { changePassword, signOut } from "../../api/session";
import { Button } from "../../ui/button";
import { NewPassword } from "../../ui/new_password";
import { Card } from "./card";

/** The password of the first start was printed into a log: until it is changed there is nothing else to do. */
export function MustChangePassword() {
  const { user } = useMe();
  return (
    <Card
      title="Choose a password"
      about={`You are signed in as ${user.email}. The password that you were given is for the first time only.`}
    >
      <NewPassword asksCurrent email={user.email} action="Change password" onSubmit={changePassword} />
      <Button look="quiet" className="mt-3 w-full" onClick={() => void signOut()}>
        Sign out
      </Button>
    </Card>
  );
}
