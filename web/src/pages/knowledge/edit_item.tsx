import { useRef, useState } from "react";
import { useForm } from "react-hook-form";
import { api, refreshPaths } from "../../api/client";
import { asApiError } from "../../api/problem";
import { showFaults } from "../../lib/forms";
import { Dialog } from "../../ui/dialog";
import { toast } from "../../ui/toast";
import { Conflict } from "./conflict";
import { ItemForm } from "./item_form";
import { fieldNames, type ItemValues, patchBody, valuesOf } from "./item_values";
import { type Item, titleOf } from "./items";

async function readItem({ id, agent_id }: Item): Promise<Item> {
  const params = { path: { knowledge_id: id }, query: { agent_id } };
  const { data } = await api.GET("/api/v1/knowledge/{knowledge_id}", { params });
  return data as Item;
}

async function save(base: Item, body: NonNullable<ReturnType<typeof patchBody>>) {
  await api.PUT("/api/v1/knowledge/{knowledge_id}", {
    params: {
      path: { knowledge_id: base.id },
      query: { agent_id: base.agent_id },
      header: { "If-Match": `"${base.version}"` },
    },
    body,
  });
  refreshPaths("/api/v1/knowledge");
}

/** Changes are made to the item as it was when the form was opened; who was faster is not overwritten unseen. */
export function EditItem({ item, onClose }: { item: Item; onClose: () => void }) {
  const base = useRef(item);
  const [theirs, setTheirs] = useState<Item>();
  const form = useForm<ItemValues>({ defaultValues: valuesOf(item) });

  const submit = async (values: ItemValues) => {
    const body = patchBody(valuesOf(base.current), values);
    if (!body) return onClose();
    try {
      // Who has seen the other changes and still saves puts their own on top.
      await save(theirs ? { ...base.current, version: theirs.version } : base.current, body);
      toast("Changes saved");
      onClose();
    } catch (error) {
      if (asApiError(error).code !== "version_mismatch") return showFaults(error, fieldNames, form.setError);
      setTheirs(await readItem(base.current).catch(() => undefined));
    }
  };
  const takeTheirs = (newest: Item) => {
    base.current = newest;
    form.reset(valuesOf(newest));
    setTheirs(undefined);
  };
  return (
    <Dialog isOpen onClose={onClose} title="Edit knowledge" about={titleOf(item)} isSheet isWide>
      <ItemForm
        form={form}
        onSubmit={submit}
        onCancel={onClose}
        action={theirs ? "Save over theirs" : "Save changes"}
      >
        {theirs && (
          <Conflict
            before={valuesOf(base.current)}
            theirs={valuesOf(theirs)}
            mine={form.getValues()}
            onTakeTheirs={() => takeTheirs(theirs)}
          />
        )}
      </ItemForm>
    </Dialog>
  );
}
