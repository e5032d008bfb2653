import { Ellipsis, Pause, Pencil, Play, Plus, UserPlus } from "lucide-react";
import { useState } from "react";
import { $api, refreshPaths, type Schemas } from "../../../api/client";
import { useCan } from "../../../api/hooks";
import { pageMax, paging, useAllPages } from "../../../api/pages";
import { Badge, StateBadge } from "../../../ui/badge";
import { Button, IconButton } from "../../../ui/button";
import { Dialog, Question } from "../../../ui/dialog";
import { Menu, MenuItem } from "../../../ui/menu";
import { Page, Panel } from "../../../ui/page";
import { Loaded } from "../../../ui/states";
import { type Column, Table } from "../../../ui/table";
import { Time } from "../../../ui/time";
import { toast, toastError } from "../../../ui/toast";
import { ifMatch } from "../versions";
import { FirstUser } from "./first_user";
import { OrganisationForm } from "./organisation_form";

type Organisation = Schemas["Organisation"];

const own = "default";

export function Organisations() {
  const canWrite = useCan("organisations:write");
  const organisations = useAllPages(
    $api.useInfiniteQuery(
      "get",
      "/api/v1/organisations",
      { params: { query: { limit: pageMax } } },
      { ...paging, select: (data) => data.pages.flatMap((page) => page.organisations) },
    ),
  );
  return (
    <Page
      title="Organisations"
      about="Each has its own people, agents and data, and sees nothing of the others."
      actions={canWrite && <Create />}
    >
      <Panel isFlush>
        <Loaded query={organisations}>
          {(all) => (
            <Table
              label="Organisations"
              rows={all}
              columns={columns(canWrite)}
              rowKey={(organisation) => organisation.id}
            />
          )}
        </Loaded>
      </Panel>
    </Page>
  );
}

const columns = (canWrite: boolean): Column<Organisation>[] => [
  {
    key: "name",
    name: "Name",
    width: "minmax(9rem, 2fr)",
    render: (organisation) => (
      <span className="flex items-center gap-2">
        <span className="truncate font-medium">{organisation.name}</span>
        {organisation.id === own && <Badge tone="accent">Yours</Badge>}
      </span>
    ),
  },
  {
    key: "id",
    name: "Id",
    width: "minmax(7rem, 1fr)",
    isExtra: true,
    render: (organisation) => <span className="font-mono text-xs">{organisation.id}</span>,
  },
  {
    key: "status",
    name: "Status",
    width: "7.5rem",
    render: (organisation) => <StateBadge state={organisation.status} />,
  },
  {
    key: "created",
    name: "Created",
    width: "7rem",
    isExtra: true,
    // The first one was there before there were clocks to ask.
    render: ({ id, created_at: at }) => <Time at={id === own ? null : at} />,
  },
  {
    key: "actions",
    name: <span className="sr-only">Actions</span>,
    width: "4rem",
    render: (organisation) => canWrite && <Actions organisation={organisation} />,
  },
];

function Create() {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        <Plus aria-hidden className="size-4" /> Create organisation
      </Button>
      <Dialog
        isOpen={isOpen}
        onClose={close}
        title="Create an organisation"
        about="Then make its first user, who makes the others."
      >
        <OrganisationForm onClose={close} />
      </Dialog>
    </>
  );
}

type Open = "nothing" | "rename" | "first user" | "suspend";

function Actions({ organisation }: { organisation: Organisation }) {
  const [open, setOpen] = useState<Open>("nothing");
  const close = () => setOpen("nothing");
  const { name } = organisation;
  const setStatus = useSetStatus(organisation);
  return (
    <>
      <Menu
        trigger={
          <IconButton label={`Actions for ${name}`}>
            <Ellipsis aria-hidden className="size-4" />
          </IconButton>
        }
      >
        <MenuItem onSelect={() => setOpen("first user")}>
          <UserPlus aria-hidden className="size-4" /> Make a user…
        </MenuItem>
        <MenuItem onSelect={() => setOpen("rename")}>
          <Pencil aria-hidden className="size-4" /> Rename…
        </MenuItem>
        {organisation.status === "suspended" ? (
          <MenuItem onSelect={() => void setStatus("active").catch(() => undefined)}>
            <Play aria-hidden className="size-4" /> Activate
          </MenuItem>
        ) : (
          organisation.id !== own && (
            <MenuItem isDanger onSelect={() => setOpen("suspend")}>
              <Pause aria-hidden className="size-4" /> Suspend…
            </MenuItem>
          )
        )}
      </Menu>
      <Dialog isOpen={open === "rename"} onClose={close} title={`Rename ${name}`}>
        <OrganisationForm organisation={organisation} onClose={close} />
      </Dialog>
      <Dialog isOpen={open === "first user"} onClose={close} title={`A user of ${name}`}>
        <FirstUser organisation={organisation} onClose={close} />
      </Dialog>
      <Question
        isOpen={open === "suspend"}
        onOpenChange={close}
        title={`Suspend ${name}?`}
        action="Suspend"
        onConfirm={() => setStatus("suspended")}
      >
        Nobody of it gets in any more, neither people nor API keys. What it has stays, and it can be activated
        again.
      </Question>
    </>
  );
}

function useSetStatus(organisation: Organisation) {
  const { mutateAsync } = $api.useMutation("put", "/api/v1/organisations/{organisation_id}", {
    onSuccess: ({ name, status }) => toast(`${name} is ${status}`),
    onError: (error) => toastError(`${organisation.name} stays ${organisation.status}`, error),
    onSettled: () => refreshPaths("/api/v1/organisations"),
  });
  return (status: Organisation["status"]) =>
    mutateAsync({
      params: { path: { organisation_id: organisation.id }, header: ifMatch(organisation) },
      body: { status },
    });
}
