/** What may be permitted, in the order and the words in which people look for it. */
import { permits } from "../../api/session";
import { formatWords } from "../../lib/format";

export interface Resource {
  id: string;
  name: string;
  actions: readonly string[];
}

export interface ResourceGroup {
  name: string;
  resources: readonly Resource[];
}

export const everything = "*:*";

const resource = (id: string, name: string, ...actions: string[]): Resource => ({ id, name, actions });

/** Its test holds it against the API's description. */
export const catalogue: readonly ResourceGroup[] = [
  {
    name: "Build and run",
    resources: [
      resource("agents", "Agents", "read", "write", "chat"),
      resource("tasks", "Tasks", "read", "write"),
      resource("knowledge", "Knowledge", "read", "write"),
      resource("sessions", "Conversations", "read", "write"),
      resource("models", "Models", "read", "use"),
      resource("providers", "Model providers", "read", "write"),
    ],
  },
  {
    name: "Operate",
    resources: [
      resource("events", "Events", "read", "write"),
      resource("consumers", "Consumers", "read", "write"),
      resource("websocket", "Live updates", "connect"),
      resource("connections", "Connections", "read"),
      resource("messages", "Messages to pages", "send"),
      resource("services", "Services", "read", "manage"),
      resource("metrics", "Metrics", "read", "write"),
      resource("backups", "Backups", "read", "write"),
      resource("configuration", "Configuration", "read"),
    ],
  },
  {
    name: "Access",
    resources: [
      resource("users", "Users", "read", "write"),
      resource("roles", "Roles", "read", "write"),
      resource("api_keys", "API keys of others", "read", "write"),
      resource("audit", "Audit log", "read"),
      resource("organisations", "Organisations", "read", "write"),
      resource("auth", "Signing keys", "write"),
      resource("profile", "Own account", "read", "write", "password", "logout"),
    ],
  },
];

/** The catalogue and what else `permissions` name: a role may be made for what is not there any more, or not yet. */
export function catalogueWith(permissions: readonly string[]): readonly ResourceGroup[] {
  const known = new Map(catalogue.flatMap((group) => group.resources.map((each) => [each.id, each])));
  const others = new Map<string, string[]>();
  for (const permission of permissions) {
    const [id = "", action = ""] = permission.split(":");
    if (permission === everything || known.has(id)) continue;
    const actions = others.get(id) ?? [];
    others.set(id, action === "*" ? actions : [...actions, action]);
  }
  if (others.size === 0) return catalogue;
  const resources = [...others].map(([id, actions]) => resource(id, formatWords(id), ...actions));
  return [...catalogue, { name: "Other", resources }];
}

/** With `wanted` or without it; what it makes superfluous goes. */
export function withPermission(permissions: readonly string[], wanted: string, isOn: boolean): string[] {
  if (!isOn) return permissions.filter((held) => held !== wanted);
  const isCovered = (held: string) =>
    wanted === everything || (wanted.endsWith(":*") && held.startsWith(wanted.slice(0, -1)));
  return [...permissions.filter((held) => held !== wanted && !isCovered(held)), wanted];
}

/** Whether something wider than `wanted` holds it. */
export const isCovered = (permissions: readonly string[], wanted: string) =>
  permits(
    permissions.filter((held) => held !== wanted),
    wanted,
  );

export interface PermittedResource {
  name: string;
  /** "read", "write"; everything of it: "everything". */
  actions: string[];
}

/** What is permitted, by group, for people to read. */
export function permitted(
  permissions: readonly string[],
): { name: string; resources: PermittedResource[] }[] {
  return catalogueWith(permissions)
    .map((group) => ({
      name: group.name,
      resources: group.resources.flatMap(({ id, name, actions }) => {
        if (permits(permissions, `${id}:*`)) return [{ name, actions: ["everything"] }];
        const held = actions.filter((action) => permits(permissions, `${id}:${action}`));
        return held.length > 0 ? [{ name, actions: held }] : [];
      }),
    }))
    .filter((group) => group.resources.length > 0);
}

/** "Everything", "Nothing", "Agents, tasks and 3 more". */
export function permittedInShort(permissions: readonly string[]): string {
  if (permissions.includes(everything)) return "Everything";
  const names = permitted(permissions).flatMap((group) => group.resources.map((each) => each.name));
  const [first, second, third, ...more] = names.map((name, index) => (index ? lower(name) : name));
  if (!first) return "Nothing";
  if (!second) return first;
  if (!third) return `${first} and ${second}`;
  return `${first}, ${second} and ${more.length + 1} more`;
}

const lower = (name: string) =>
  name.startsWith("API") ? name : name.charAt(0).toLowerCase() + name.slice(1);

/** Those of `wanted` that are not held: what nobody can give who does not have them. */
export const lacking = (held: readonly string[], wanted: readonly string[]) =>
  wanted.filter((permission) => !permits(held, permission));
