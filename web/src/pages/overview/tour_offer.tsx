import { Link } from "@tanstack/react-router";
import { $api } from "../../api/client";
import { useCan } from "../../api/hooks";
import { endTour, useIsTourOver } from "../../lib/tour";
import { Button } from "../../ui/button";

/** On a fresh installation: how to get to a first answer. */
export function TourOffer() {
  const isOver = useIsTourOver();
  const mayRead = useCan("tasks:read");
  const mayWrite = useCan("tasks:write");
  const isOffered = !isOver && mayRead && mayWrite;
  const tasks = $api.useQuery(
    "get",
    "/api/v1/tasks",
    { params: { query: { limit: 1 } } },
    { enabled: isOffered, meta: { keepsItself: true } },
  );
  if (!isOffered || tasks.data?.tasks.length !== 0) return null;
  return (
    <section
      aria-labelledby="tour-offer"
      className="flex flex-wrap items-center justify-between gap-3 rounded-lg border border-accent/40 bg-accent-soft px-4 py-3"
    >
      <div className="min-w-0">
        <h2 id="tour-offer" className="text-base font-semibold">
          Ask an agent your first question
        </h2>
        <p className="text-muted">
          Ten agents are here already, each with knowledge of its field. The tour takes two minutes.
        </p>
      </div>
      <div className="flex gap-2">
        <Button look="quiet" onClick={endTour}>
          Dismiss
        </Button>
        <Button asChild look="primary">
          <Link to="/welcome">Take the tour</Link>
        </Button>
      </div>
    </section>
  );
}
