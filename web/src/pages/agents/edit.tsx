import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, queryClient, refreshPaths } from "../../api/client";
import { useCan } from "../../api/hooks";
import { ApiError, asApiError } from "../../api/problem";
import { Button } from "../../ui/button";
import { Page } from "../../ui/page";
import { Failure, Loaded, Notice } from "../../ui/states";
import { toast, toastError } from "../../ui/toast";
import { AgentForm } from "./agent_form";
import { Conflict } from "./conflict";
import { type AgentValues, changeBody, changedPaths, valuesOf } from "./form_model";
import { agentInit, agentKey, useAgent } from "./queries";
import type { Agent } from "./search";

const forbidden = new ApiError(403, { detail: "Changing agents needs agents:write." });

export function EditAgent() {
  const { agentId } = useParams({ from: "/signed-in/agents/$agentId/edit" });
  const canWrite = useCan("agents:write");
  const agent = useAgent(agentId);
  return (
    <Page
      title={agent.data ? `Edit ${agent.data.name}` : "Edit agent"}
      about={<span className="font-mono text-xs">{agentId}</span>}
    >
      {canWrite ? (
        <Loaded query={agent} lines={8}>
          {(latest) => <Editor key={agentId} latest={latest} />}
        </Loaded>
      ) : (
        <Failure error={forbidden} />
      )}
    </Page>
  );
}

/** Past every cache: what the next change has to name as the version that it is for. */
async function readLatest(agentId: string): Promise<Agent> {
  const { data } = await api.GET("/api/v1/agents/{agent_id}", {
    ...agentInit(agentId),
    headers: { "Cache-Control": "no-cache" },
  });
  return data as Agent;
}

async function save(agent: Agent, body: ReturnType<typeof changeBody>) {
  const { data } = await api.PUT("/api/v1/agents/{agent_id}", {
    params: { path: { agent_id: agent.id }, header: { "If-Match": `"${agent.version}"` } },
    body,
  });
  queryClient.setQueryData(agentKey(agent.id), data);
  refreshPaths("/api/v1/agents");
  toast(`Agent ${data?.name} saved`);
}

function Editor({ latest }: { latest: Agent }) {
  const navigate = useNavigate();
  /** What the form began with. */
  const [before, setBefore] = useState(latest);
  const [draft, setDraft] = useState<{ values: AgentValues; theirs: Agent; leave: () => void }>();
  const toAgent = () => void navigate({ to: "/agents/$agentId", params: { agentId: before.id } });

  const isFaster = (error: unknown) => asApiError(error).code === "version_mismatch";
  /** What leaves the page when it is saved; undefined when somebody else was faster. */
  const trySave = async (values: AgentValues, theirs: Agent, allowLeaving: () => void) => {
    const body = changeBody(before, values, theirs);
    const leave = () => {
      allowLeaving();
      toAgent();
    };
    if (Object.keys(body).length === 0) return leave();
    try {
      await save(theirs, body);
      leave();
    } catch (error) {
      if (!isFaster(error)) throw error;
      setDraft({ values, theirs: await readLatest(before.id), leave: allowLeaving });
    }
  };
  const reload = (theirs: Agent) => {
    setDraft(undefined);
    setBefore(theirs);
  };
  return (
    <>
      {latest.version > before.version && !draft && (
        <Notice>
          This agent has been changed since you opened it. When you save, you will see what changed first.
        </Notice>
      )}
      <AgentForm
        key={before.version}
        initial={valuesOf(before)}
        isNew={false}
        action="Save changes"
        onSubmit={(values, allowLeaving) => trySave(values, before, allowLeaving)}
        cancel={
          <Button asChild>
            <Link to="/agents/$agentId" params={{ agentId: before.id }}>
              Cancel
            </Link>
          </Button>
        }
      />
      {draft && (
        <Conflict
          before={before}
          latest={draft.theirs}
          mine={changedPaths(before, draft.values)}
          onClose={() => setDraft(undefined)}
          onReload={() => reload(draft.theirs)}
          onOverwrite={() =>
            trySave(draft.values, draft.theirs, draft.leave).catch((error: unknown) =>
              toastError("Not saved", error),
            )
          }
        />
      )}
    </>
  );
}
