import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../api/client";
import { useCan } from "../../api/hooks";
import { formatCount } from "../../lib/format";
import { Dialog } from "../../ui/dialog";
import { Facts } from "../../ui/page";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { ReplayConsumer } from "./replay_consumer";

type Group = Schemas["ConsumerGroup"];

const positionColumns: Column<Group["positions"][number]>[] = [
  {
    key: "cursor",
    name: "Stands at",
    width: "minmax(8rem, 1fr)",
    render: ({ cursor }) => <code className="font-mono text-xs">{cursor}</code>,
  },
  { key: "slots", name: "Slots", width: "4.5rem", isNumber: true, render: ({ slots }) => slots },
  { key: "lag", name: "Lag", width: "5.5rem", isNumber: true, render: ({ lag }) => formatCount(lag) },
  {
    key: "oldest",
    name: "Since",
    width: "7rem",
    render: ({ oldest_unhandled_at }) => <Time at={oldest_unhandled_at} />,
  },
];

const memberColumns: Column<Group["members"][number]>[] = [
  {
    key: "id",
    name: "Process",
    width: "minmax(12rem, 1fr)",
    render: ({ id }) => <code className="font-mono text-xs">{id}</code>,
  },
  { key: "slots", name: "Slots", width: "4.5rem", isNumber: true, render: ({ slots }) => slots },
];

interface ConsumerSheetProps {
  group: Group | undefined;
  channels: string[] | undefined;
  onClose: () => void;
}

/** One group: where it stands, who works for it, and how to send it to another point. */
export function ConsumerSheet({ group, channels, onClose }: ConsumerSheetProps) {
  const mayReplay = useCan("consumers:write");
  return (
    <Dialog
      isOpen={group !== undefined}
      onClose={onClose}
      isSheet
      title={group?.name ?? ""}
      about="Consumer group"
    >
      {group && (
        <div className="flex flex-col gap-5">
          {mayReplay && <ReplayConsumer name={group.name} />}
          <Facts
            facts={[
              ["Channels", channels?.join(", ")],
              ["Lag", formatCount(group.lag)],
              ["Oldest unhandled", <Time key="oldest" at={group.oldest_unhandled_at} />],
              ["Waiting", formatCount(group.waiting)],
              ["Retrying", formatCount(group.retrying)],
              ["Parked", formatCount(group.parked)],
              [
                "Dead letters",
                <Link
                  key="letters"
                  to="/events"
                  search={{ tab: "dead-letters", consumer: group.name }}
                  className="text-accent hover:underline"
                >
                  Show them
                </Link>,
              ],
            ]}
          />
          <section className="flex flex-col gap-1">
            <h3 className="font-medium">Positions</h3>
            <Table
              label="Positions"
              rows={group.positions}
              columns={positionColumns}
              rowKey={({ cursor }) => cursor}
            />
          </section>
          <section className="flex flex-col gap-1">
            <h3 className="font-medium">Processes</h3>
            {group.members.length === 0 ? (
              <p className="text-muted">None works for it now. Start one with the role relay.</p>
            ) : (
              <Table label="Processes" rows={group.members} columns={memberColumns} rowKey={({ id }) => id} />
            )}
          </section>
        </div>
      )}
    </Dialog>
  );
}
