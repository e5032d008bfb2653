import { createRouter } from "@tanstack/react-router";
import { agentsRoutes } from "../pages/agents/routes";
import { backupsRoutes } from "../pages/backups/routes";
import { eventsRoutes } from "../pages/events/routes";
import { knowledgeRoutes } from "../pages/knowledge/routes";
import { metricsRoutes } from "../pages/metrics/routes";
import { modelsRoutes } from "../pages/models/routes";
import { overviewRoutes } from "../pages/overview/routes";
import { servicesRoutes } from "../pages/services/routes";
import { settingsRoutes } from "../pages/settings/routes";
import { signInRoutes, welcomeRoutes } from "../pages/sign_in/routes";
import { tasksRoutes } from "../pages/tasks/routes";
import { NotFound, PageFailure } from "./failures";
import { rootRoute, signedInRoute } from "./root";

const routeTree = rootRoute.addChildren([
  ...signInRoutes,
  signedInRoute.addChildren([
    ...welcomeRoutes,
    ...overviewRoutes,
    ...agentsRoutes,
    ...knowledgeRoutes,
    ...tasksRoutes,
    ...eventsRoutes,
    ...servicesRoutes,
    ...metricsRoutes,
    ...modelsRoutes,
    ...backupsRoutes,
    ...settingsRoutes,
  ]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
  defaultErrorComponent: PageFailure,
  defaultNotFoundComponent: NotFound,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
