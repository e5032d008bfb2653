import { LogOut } from "lucide-react";
import { $api, api } from "../../api/client";
import { useMe } from "../../api/hooks";
import { pageMax, paging, useAllPages } from "../../api/pages";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Page, Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { toast, toastError } from "../../ui/toast";
import { type Login, LoginTable, refreshLogins } from "./login_table";

export function Sessions() {
  const { session_id: own } = useMe();
  const logins = useAllPages(
    $api.useInfiniteQuery(
      "get",
      "/api/v1/auth/logins",
      { params: { query: { limit: pageMax } } },
      { ...paging, select: (data) => data.pages.flatMap((page) => page.logins) },
    ),
  );
  const others = logins.data?.filter((login) => login.id !== own) ?? [];
  return (
    <Page
      title="Sessions"
      about="Where you are signed in. A session ends after 30 days without use, and 90 days after it began."
      actions={others.length > 0 && <EndOthers others={others} />}
    >
      <Panel isFlush>
        <Loaded
          query={logins}
          isEmpty={(all) => all.length === 0}
          empty={<Empty title="No session">Sign in again to see it here.</Empty>}
        >
          {(all) => <LoginTable logins={ownFirst(all, own)} label="Your sessions" canEnd />}
        </Loaded>
      </Panel>
    </Page>
  );
}

const ownFirst = (logins: Login[], own: string) => [
  ...logins.filter((login) => login.id === own),
  ...logins.filter((login) => login.id !== own),
];

function EndOthers({ others }: { others: Login[] }) {
  const endAll = async () => {
    const ends = await Promise.allSettled(
      others.map((login) =>
        api.DELETE("/api/v1/auth/logins/{login_id}", { params: { path: { login_id: login.id } } }),
      ),
    );
    refreshLogins();
    const failed = ends.find((end) => end.status === "rejected");
    if (!failed) return toast("All other sessions have ended");
    toastError("Not all sessions have ended", failed.reason);
    throw failed.reason;
  };
  return (
    <Confirm
      title="End all other sessions?"
      action="End sessions"
      onConfirm={endAll}
      trigger={
        <Button>
          <LogOut aria-hidden className="size-4" /> End all others
        </Button>
      }
    >
      {others.length === 1 ? "One other session ends" : `${others.length} other sessions end`} within a
      second. API keys go on. If you think that somebody else was signed in, change your password as well.
    </Confirm>
  );
}
