import { useNavigate } from "@tanstack/react-router";
import { useForm } from "react-hook-form";
import { api, idempotencyKey, refreshPaths } from "../../api/client";
import { canBeAddressed } from "../../lib/addressable";
import { showFaults } from "../../lib/forms";
import { Dialog } from "../../ui/dialog";
import { toast } from "../../ui/toast";
import { ItemForm } from "./item_form";
import { createBody, emptyValues, fieldNames, type ItemValues } from "./item_values";

export function AddItem({ agent, onClose }: { agent: string | undefined; onClose: () => void }) {
  const form = useForm<ItemValues>({ defaultValues: emptyValues(agent) });
  const navigate = useNavigate();
  const add = async (values: ItemValues) => {
    try {
      const { data } = await api.POST("/api/v1/agents/{agent_id}/knowledge", {
        params: { path: { agent_id: values.agent_id }, header: { "Idempotency-Key": idempotencyKey() } },
        body: createBody(values),
      });
      refreshPaths("/api/v1/knowledge");
      toast("Knowledge added");
      if (data && canBeAddressed(data.id)) {
        const params = { agentId: data.agent_id, knowledgeId: data.id };
        void navigate({ to: "/knowledge/$agentId/$knowledgeId", params });
      } else onClose();
    } catch (error) {
      showFaults(error, fieldNames, form.setError);
    }
  };
  return (
    <Dialog isOpen onClose={onClose} title="Add knowledge" isSheet isWide>
      <ItemForm form={form} isNew onSubmit={add} onCancel={onClose} action="Add knowledge" />
    </Dialog>
  );
}
