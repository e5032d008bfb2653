import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { Bot, ListChecks, Moon, Plus, Sun } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { useState } from "react";
import { $api } from "../api/client";
import { useCan, useMe } from "../api/hooks";
import { permits, signOut } from "../api/session";
import { chooseTheme, useTheme } from "../lib/theme";
import { places } from "./navigation";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const item =
  "flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 data-[selected=true]:bg-hover [&>svg]:size-4 [&>svg]:text-muted";
const group =
  "[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted";

interface PaletteProps {
  isOpen: boolean;
  onClose: () => void;
}

/** Goes anywhere and does the most common things, from the keyboard. */
export function CommandPalette({ isOpen, onClose }: PaletteProps) {
  return (
    <Radix.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-appear bg-scrim" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed top-[12vh] left-1/2 z-40 w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-lg bg-raised shadow-float"
        >
          <Radix.Title className="sr-only">Search or go to</Radix.Title>
          <Commands onDone={onClose} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Commands({ onDone }: { onDone: () => void }) {
  const [text, setText] = useState("");
  const { permissions } = useMe();
  const navigate = useNavigate();
  const theme = useTheme();
  const mayWriteAgents = useCan("agents:write");
  const mayWriteTasks = useCan("tasks:write");
  const agents = $api.useQuery(
    "get",
    "/api/v1/agents",
    { params: { query: { limit: 500 } } },
    { enabled: permits(permissions, "agents:read") },
  );
  const go = (to: string) => {
    onDone();
    void navigate({ to });
  };
  const run = (deed: () => void) => {
    onDone();
    deed();
  };
  return (
    <Command label="Search or go to" loop>
      <Command.Input
        value={text}
        onValueChange={setText}
        placeholder="Search pages, agents, actions; or paste the id of a task"
        className="h-12 w-full border-b border-line bg-transparent px-4 text-base outline-none placeholder:text-muted"
      />
      <Command.List className="max-h-[50vh] overflow-y-auto p-1.5">
        <Command.Empty className="px-3 py-6 text-center text-muted">
          Nothing found. Try fewer letters.
        </Command.Empty>
        {uuid.test(text.trim()) && (
          <Command.Item forceMount value={text} className={item} onSelect={() => go(`/tasks/${text.trim()}`)}>
            <ListChecks aria-hidden /> Open task {text.trim()}
          </Command.Item>
        )}
        <Command.Group heading="Actions" className={group}>
          {mayWriteTasks && (
            <Command.Item
              className={item}
              keywords={["task", "new"]}
              onSelect={() => go("/tasks?create=true")}
            >
              <Plus aria-hidden /> Create task
            </Command.Item>
          )}
          {mayWriteAgents && (
            <Command.Item className={item} keywords={["agent", "new"]} onSelect={() => go("/agents/new")}>
              <Plus aria-hidden /> Create agent
            </Command.Item>
          )}
          <Command.Item
            className={item}
            keywords={["theme", "dark", "light"]}
            onSelect={() => run(() => chooseTheme(theme === "dark" ? "light" : "dark"))}
          >
            {theme === "dark" ? <Sun aria-hidden /> : <Moon aria-hidden />}
            {theme === "dark" ? "Light theme" : "Dark theme"}
          </Command.Item>
          <Command.Item className={item} keywords={["logout"]} onSelect={() => run(() => void signOut())}>
            Sign out
          </Command.Item>
        </Command.Group>
        <Command.Group heading="Pages" className={group}>
          {places
            .flatMap((each) => each.places)
            .filter((place) => !place.permission || permits(permissions, place.permission))
            .map(({ path, name, words, icon: Icon }) => (
              <Command.Item
                key={path}
                className={item}
                keywords={words?.split(" ")}
                onSelect={() => go(path)}
              >
                <Icon aria-hidden /> {name}
              </Command.Item>
            ))}
        </Command.Group>
        {agents.data && agents.data.agents.length > 0 && (
          <Command.Group heading="Agents" className={group}>
            {agents.data.agents.map((agent) => (
              <Command.Item
                key={agent.id}
                value={`agent ${agent.id}`}
                keywords={[agent.name, agent.specialization]}
                className={item}
                onSelect={() => go(`/agents/${agent.id}`)}
              >
                <Bot aria-hidden /> {agent.name} <span className="text-muted">{agent.id}</span>
              </Command.Item>
            ))}
          </Command.Group>
        )}
      </Command.List>
    </Command>
  );
}
