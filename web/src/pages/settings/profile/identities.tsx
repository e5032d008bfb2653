import { Link2 } from "lucide-react";
import { $api, refreshPaths, type Schemas } from "../../../api/client";
import { Button } from "../../../ui/button";
import { Confirm } from "../../../ui/dialog";
import { Panel } from "../../../ui/page";
import { Loaded } from "../../../ui/states";
import { Time } from "../../../ui/time";
import { toast, toastError } from "../../../ui/toast";

type Identity = Schemas["UserIdentity"];

/** Who you are at the identity provider. Where there is none, and never was, nothing is said of it. */
export function Identities() {
  const ways = $api.useQuery("get", "/api/v1/auth/ways");
  const identities = $api.useQuery("get", "/api/v1/auth/identities");
  const provider = ways.data?.provider?.name;
  if (!provider && !identities.data?.count) return null;
  const name = provider ?? "Identity provider";
  return (
    <Panel title={name} actions={provider && identities.data?.count === 0 && <LinkProvider name={name} />}>
      <Loaded
        query={identities}
        lines={1}
        isEmpty={(data) => data.count === 0}
        empty={
          <p className="text-muted">
            Not linked. Once it is, you can sign in with {name} besides your password.
          </p>
        }
      >
        {(data) => (
          <ul className="flex flex-col gap-3">
            {data.identities.map((identity) => (
              <li key={identity.id} className="flex flex-wrap items-center justify-between gap-2">
                <LinkedIdentity identity={identity} name={name} />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}

function LinkProvider({ name }: { name: string }) {
  const link = $api.useMutation("post", "/api/v1/auth/provider/link", {
    onSuccess: ({ authorization_url: address }) => location.assign(address),
    onError: (error) => toastError(`${name} cannot be linked`, error),
  });
  const params = { query: { return_to: "/settings/profile" } };
  return (
    <Button isBusy={link.isPending} onClick={() => link.mutate({ params })}>
      <Link2 aria-hidden className="size-4" /> Link {name}
    </Button>
  );
}

function LinkedIdentity({ identity, name }: { identity: Identity; name: string }) {
  const unlink = $api.useMutation("delete", "/api/v1/auth/identities/{identity_id}", {
    onSuccess: () => toast(`${name} is unlinked`),
    onError: (error) => toastError(`${name} cannot be unlinked`, error),
    onSettled: () => refreshPaths("/api/v1/auth/identities", "/api/v1/auth/logins"),
  });
  return (
    <>
      <div className="min-w-0">
        <div className="font-mono text-xs break-all">{identity.subject}</div>
        <div className="text-xs break-all text-muted">
          {identity.issuer} · linked <Time at={identity.created_at} />
        </div>
      </div>
      <Confirm
        title={`Unlink ${name}?`}
        action="Unlink"
        onConfirm={() => unlink.mutateAsync({ params: { path: { identity_id: identity.id } } })}
        trigger={<Button>Unlink</Button>}
      >
        You sign in with your password from then on, so know it before. Sessions that began with {name} end.
      </Confirm>
    </>
  );
}
