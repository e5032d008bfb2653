import { Trash2 } from "lucide-react";
import { $api, refreshPaths } from "../../api/client";
import { useCan } from "../../api/hooks";
import { Button } from "../../ui/button";
import { Confirm, Dialog } from "../../ui/dialog";
import { Facts } from "../../ui/page";
import { toast, toastError } from "../../ui/toast";
import { ProviderForm } from "./provider_form";
import { ProviderTest } from "./provider_test";
import { type Provider, protocolNames } from "./provider_values";

interface ProviderSheetProps {
  /** Left out: a new one. */
  provider?: Provider;
  onClose: () => void;
  /** With the id of a new one, which can be tested then. */
  onAdded?: (id: string) => void;
}

export function ProviderSheet({ provider, onClose, onAdded }: ProviderSheetProps) {
  const mayWrite = useCan("providers:write");
  const isOperators = provider?.origin === "settings";
  const canEdit = mayWrite && !isOperators;
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={provider ? `Provider ${provider.id}` : "Add provider"}
      about={
        isOperators
          ? "Of the settings of the server. It is changed there, with its environment or its options."
          : "Its key is sealed when it is stored; nobody reads it back."
      }
      isSheet
    >
      <div className="flex flex-col gap-6">
        {provider && mayWrite && <ProviderTest id={provider.id} />}
        {canEdit ? (
          <ProviderForm provider={provider} onDone={onClose} onAdded={onAdded} />
        ) : (
          provider && <ProviderFacts provider={provider} />
        )}
        {provider && canEdit && <DeleteProvider provider={provider} onDone={onClose} />}
      </div>
    </Dialog>
  );
}

function ProviderFacts({ provider }: { provider: Provider }) {
  const mono = (text: string) => <span className="font-mono text-xs break-all">{text}</span>;
  const names = Object.entries(provider.models);
  return (
    <Facts
      facts={[
        ["Protocol", protocolNames[provider.kind]],
        ["Address", mono(provider.base_url)],
        ["Default model", provider.default_model ? mono(provider.default_model) : undefined],
        [
          "Models",
          names.length > 0
            ? mono(names.map(([name, model]) => `${name} → ${String(model)}`).join(", "))
            : undefined,
        ],
        ["Key", provider.has_key ? "Set" : "None"],
      ]}
    />
  );
}

function DeleteProvider({ provider, onDone }: { provider: Provider; onDone: () => void }) {
  const remove = $api.useMutation("delete", "/api/v1/providers/{provider_id}", {
    onSuccess: () => {
      toast(`Provider ${provider.id} deleted`);
      onDone();
    },
    onError: (error) => toastError("The provider was not deleted", error),
    onSettled: () => refreshPaths("/api/v1/providers", "/api/v1/models"),
  });
  return (
    <section className="flex items-center justify-between gap-3 border-t border-line pt-4">
      <p className="text-muted">Its key is gone for good; the id may be used again.</p>
      <Confirm
        title={`Delete provider ${provider.id}?`}
        action="Delete provider"
        trigger={
          <Button className="text-danger">
            <Trash2 aria-hidden className="size-4" /> Delete
          </Button>
        }
        onConfirm={() => remove.mutateAsync({ params: { path: { provider_id: provider.id } } })}
      >
        Agents that name it in their config fail until they name another one; all others go on with the next
        provider.
      </Confirm>
    </section>
  );
}
