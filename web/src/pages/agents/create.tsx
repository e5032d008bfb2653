import { Link, useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { api, idempotencyKey, refreshPaths } from "../../api/client";
import { useCan } from "../../api/hooks";
import { ApiError } from "../../api/problem";
import { Button } from "../../ui/button";
import { Page } from "../../ui/page";
import { Failure } from "../../ui/states";
import { toast } from "../../ui/toast";
import { AgentForm } from "./agent_form";
import { type AgentValues, createBody, newAgent } from "./form_model";

export function CreateAgent() {
  const canWrite = useCan("agents:write");
  return (
    <Page title="Create agent" about="It can be given tasks as soon as it is there.">
      {canWrite ? <Form /> : <Failure error={forbidden} />}
    </Page>
  );
}

const forbidden = new ApiError(403, { detail: "Creating agents needs agents:write." });

function Form() {
  const navigate = useNavigate();
  const key = useRef({ key: "", of: "" });
  const create = async (values: AgentValues, allowLeaving: () => void) => {
    const body = createBody(values);
    // The same key for the same body: after a lost answer nothing is created twice.
    const of = JSON.stringify(body);
    if (key.current.of !== of) key.current = { key: idempotencyKey(), of };
    await api
      .POST("/api/v1/agents", { params: { header: { "Idempotency-Key": key.current.key } }, body })
      .catch((error: unknown) => {
        throw isTaken(error) ? takenId(error) : error;
      });
    refreshPaths("/api/v1/agents");
    toast(`Agent ${body.name} created`);
    allowLeaving();
    void navigate({ to: "/agents/$agentId", params: { agentId: body.id } });
  };
  return (
    <AgentForm
      initial={newAgent}
      isNew
      action="Create agent"
      onSubmit={create}
      cancel={
        <Button asChild>
          <Link to="/agents">Cancel</Link>
        </Button>
      }
    />
  );
}

const isTaken = (error: unknown): error is ApiError => error instanceof ApiError && error.code === "conflict";

function takenId(error: ApiError): ApiError {
  return new ApiError(error.status, {
    code: error.code,
    detail: error.message,
    errors: [{ path: "id", message: "An agent of this id exists." }],
  });
}
