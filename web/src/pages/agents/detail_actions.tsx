import { Link, useNavigate } from "@tanstack/react-router";
import { Ellipsis, Pencil, Power, PowerOff, Trash2, Undo2 } from "lucide-react";
import { useState } from "react";
import { refreshPaths } from "../../api/client";
import { useCan } from "../../api/hooks";
import { Button, IconButton } from "../../ui/button";
import { Question } from "../../ui/dialog";
import { Menu, MenuItem, MenuLine } from "../../ui/menu";
import { deleteAgent, setStatus } from "./deeds";
import type { Agent } from "./search";

export function DetailActions({ agent }: { agent: Agent }) {
  const canWrite = useCan("agents:write");
  const canGiveTasks = useCan("tasks:write");
  return (
    <>
      {canWrite && (
        <>
          <More agent={agent} />
          <Button asChild>
            <Link to="/agents/$agentId/edit" params={{ agentId: agent.id }}>
              <Pencil aria-hidden className="size-3.5" /> Edit
            </Link>
          </Button>
        </>
      )}
      {canGiveTasks && (
        <Button asChild look="primary">
          <Link to="/tasks" search={{ create: true, agent: agent.id }}>
            Give it a task
          </Link>
        </Button>
      )}
    </>
  );
}

function More({ agent }: { agent: Agent }) {
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const remove = async () => {
    await deleteAgent(agent);
    await navigate({ to: "/agents" });
    refreshPaths("/api/v1/agents", "/api/v1/knowledge");
  };
  return (
    <>
      <Menu
        trigger={
          <IconButton label="More actions">
            <Ellipsis aria-hidden className="size-4" />
          </IconButton>
        }
      >
        <StatusItem agent={agent} />
        <MenuLine />
        <MenuItem isDanger onSelect={() => setAsking(true)}>
          <Trash2 aria-hidden className="size-4" /> Delete…
        </MenuItem>
      </Menu>
      <Question
        isOpen={isAsking}
        onOpenChange={setAsking}
        title={`Delete ${agent.name}?`}
        action="Delete agent"
        onConfirm={remove}
      >
        <ul className="list-disc pl-5">
          <li>Its pending tasks are cancelled.</li>
          <li>What it knows is hidden with it.</li>
          <li>Its history stays: tasks, events, metrics.</li>
        </ul>
        <p className="mt-2">
          Created again with the id <span className="font-mono text-xs">{agent.id}</span>, it has its
          knowledge back.
        </p>
      </Question>
    </>
  );
}

function StatusItem({ agent }: { agent: Agent }) {
  if (agent.status === "offline") {
    return (
      <MenuItem onSelect={() => void setStatus(agent, "idle")}>
        <Power aria-hidden className="size-4" /> Set online
      </MenuItem>
    );
  }
  return (
    <>
      {agent.status === "error" && (
        <MenuItem onSelect={() => void setStatus(agent, "idle")}>
          <Undo2 aria-hidden className="size-4" /> Clear the error
        </MenuItem>
      )}
      <MenuItem onSelect={() => void setStatus(agent, "offline")}>
        <PowerOff aria-hidden className="size-4" /> Set offline
      </MenuItem>
    </>
  );
}
