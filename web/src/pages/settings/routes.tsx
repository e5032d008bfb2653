import { createRoute, redirect } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { signedInRoute } from "../../app/root";
import { oneOf, textOf } from "./search";

type Search = Record<string, unknown>;

const settingsRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/settings",
  component: lazyPage(() => import("./layout"), "Settings"),
});

const getParentRoute = () => settingsRoute;

// A list of its own: within the call of addChildren the routes would be of any type.
const sections = [
  createRoute({
    getParentRoute,
    path: "/",
    beforeLoad: (): void => {
      throw redirect({ to: "/settings/profile", replace: true });
    },
  }),
  createRoute({
    getParentRoute,
    path: "/profile",
    component: lazyPage(() => import("./profile/profile"), "Profile"),
  }),
  createRoute({
    getParentRoute,
    path: "/security",
    component: lazyPage(() => import("./security/security"), "Security"),
  }),
  createRoute({
    getParentRoute,
    path: "/sessions",
    component: lazyPage(() => import("./sessions"), "Sessions"),
  }),
  createRoute({
    getParentRoute,
    path: "/api-keys",
    validateSearch: (search: Search): { owner?: "all"; q?: string } => ({
      owner: oneOf(search.owner, ["all"]),
      q: textOf(search.q),
    }),
    component: lazyPage(() => import("./api_keys/api_keys"), "ApiKeys"),
  }),
  createRoute({
    getParentRoute,
    path: "/users",
    validateSearch: (search: Search): { q?: string; status?: string; user?: string } => ({
      q: textOf(search.q),
      status: oneOf(search.status, ["pending", "active", "disabled"]),
      user: textOf(search.user),
    }),
    component: lazyPage(() => import("./users/users"), "Users"),
  }),
  createRoute({
    getParentRoute,
    path: "/roles",
    validateSearch: (search: Search): { role?: string } => ({ role: textOf(search.role) }),
    component: lazyPage(() => import("./roles/roles"), "Roles"),
  }),
  createRoute({
    getParentRoute,
    path: "/organisations",
    component: lazyPage(() => import("./organisations/organisations"), "Organisations"),
  }),
  createRoute({
    getParentRoute,
    path: "/audit",
    validateSearch: (search: Search): AuditSearch => ({
      actor: textOf(search.actor),
      action: textOf(search.action),
      target: textOf(search.target),
      outcome: oneOf(search.outcome, ["succeeded", "refused"]),
      entry: textOf(search.entry),
    }),
    component: lazyPage(() => import("./audit/audit"), "Audit"),
  }),
  createRoute({
    getParentRoute,
    path: "/configuration",
    validateSearch: (search: Search): { q?: string; origin?: "set" } => ({
      q: textOf(search.q),
      origin: oneOf(search.origin, ["set"]),
    }),
    component: lazyPage(() => import("./configuration"), "Configuration"),
  }),
] as const;

export const settingsRoutes = [settingsRoute.addChildren(sections)] as const;

interface AuditSearch {
  actor?: string;
  action?: string;
  target?: string;
  outcome?: "succeeded" | "refused";
  /** The one whose details are open. */
  entry?: string;
}
