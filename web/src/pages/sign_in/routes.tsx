import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { rootRoute, signedInRoute } from "../../app/root";
import { ResetPassword } from "./reset_password";
import { readTourSearch } from "./tour/search";

/** Pages for who is not signed in; the sign-in itself stands in the place of every other page. */
export const signInRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/reset-password",
    validateSearch: (search: Record<string, unknown>): { token?: string } =>
      typeof search.token === "string" ? { token: search.token } : {},
    component: ResetPassword,
  }),
] as const;

/** The tour of the first sign-in. */
export const welcomeRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/welcome",
    validateSearch: readTourSearch,
    component: lazyPage(() => import("./welcome"), "Welcome"),
  }),
] as const;
