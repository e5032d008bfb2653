import { createRootRoute, createRoute, Outlet } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useSession } from "../api/hooks";
import { MustChangePassword } from "../pages/sign_in/must_change_password";
import { SignIn } from "../pages/sign_in/sign_in";
import { NotFound, PageFailure } from "./failures";
import { Mark } from "./mark";
import { Shell } from "./shell";

export const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

/** Everything behind the sign-in. The address stays, so that whoever signs in is where they wanted to be. */
export const signedInRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "signed-in",
  component: Gate,
  errorComponent: PageFailure,
});

// The types of what is shown are said, here and in failures.tsx: links within ask the router for the types of their
// addresses, and TypeScript would go round in a circle and give up without a word.
function Gate(): ReactNode {
  const session = useSession();
  if (session.phase === "starting") return <Starting />;
  if (session.phase === "anonymous") return <SignIn reason={session.reason} />;
  if (session.me.user.must_change_password) return <MustChangePassword />;
  return <Shell />;
}

function Starting() {
  return (
    <div className="grid min-h-dvh place-items-center" role="status" aria-label="Starting">
      <Mark className="size-10 animate-pulse-soft" />
    </div>
  );
}
