import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import type { ReactNode } from "react";
import { asApiError } from "../api/problem";
import { Button } from "../ui/button";
import { Page } from "../ui/page";
import { Empty, Failure } from "../ui/states";

export function NotFound(): ReactNode {
  return (
    <Page title="Not found">
      <Empty
        icon={Compass}
        title="There is no such page"
        action={
          <Button asChild look="primary">
            <Link to="/">Go to the overview</Link>
          </Button>
        }
      >
        The address may be mistyped, or what it names is gone.
      </Empty>
    </Page>
  );
}

/** A page that broke; the rest of the application goes on. */
export function PageFailure({ error, reset }: ErrorComponentProps): ReactNode {
  const isStale = /dynamically imported module|module script/i.test(asApiError(error).message);
  if (isStale) {
    return (
      <Page title="A new version is here">
        <Empty
          title="The server was updated"
          action={
            <Button look="primary" onClick={() => location.reload()}>
              Reload the page
            </Button>
          }
        >
          This tab still runs the version before.
        </Empty>
      </Page>
    );
  }
  return (
    <Page title="This page has failed">
      <Failure error={error} onRetry={reset} />
    </Page>
  );
}
