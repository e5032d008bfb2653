import {
  Activity,
  BookOpen,
  Bot,
  Boxes,
  Cpu,
  DatabaseBackup,
  Gauge,
  LineChart,
  ListChecks,
  type LucideIcon,
  Settings,
} from "lucide-react";

export interface Place {
  name: string;
  path: string;
  icon: LucideIcon;
  /** Who may not do this does not see it. */
  permission?: string;
  /** Other words that people look for in the command palette. */
  words?: string;
}

/** The whole navigation. Workflows will stand in "Build", below the agents that they chain. */
export const places: { group: string; places: Place[] }[] = [
  {
    group: "",
    places: [{ name: "Overview", path: "/", icon: Gauge, words: "home dashboard" }],
  },
  {
    group: "Build",
    places: [
      { name: "Agents", path: "/agents", icon: Bot, permission: "agents:read", words: "chat" },
      {
        name: "Knowledge",
        path: "/knowledge",
        icon: BookOpen,
        permission: "knowledge:read",
        words: "import search",
      },
    ],
  },
  {
    group: "Run",
    places: [
      { name: "Tasks", path: "/tasks", icon: ListChecks, permission: "tasks:read", words: "queue jobs" },
      {
        name: "Events",
        path: "/events",
        icon: Activity,
        permission: "events:read",
        words: "log tail dead letters flow replay",
      },
    ],
  },
  {
    group: "Operate",
    places: [
      {
        name: "Services",
        path: "/services",
        icon: Boxes,
        permission: "services:read",
        words: "health topology breaker",
      },
      {
        name: "Metrics",
        path: "/charts",
        icon: LineChart,
        permission: "metrics:read",
        words: "charts prometheus",
      },
      {
        name: "Models",
        path: "/models",
        icon: Cpu,
        permission: "models:read",
        words: "providers usage tokens openai anthropic",
      },
      {
        name: "Backups",
        path: "/backups",
        icon: DatabaseBackup,
        permission: "backups:read",
        words: "restore",
      },
    ],
  },
  {
    group: "",
    places: [
      {
        name: "Settings",
        path: "/settings",
        icon: Settings,
        words: "profile mfa password users roles api keys audit organisations configuration sessions",
      },
    ],
  },
];
