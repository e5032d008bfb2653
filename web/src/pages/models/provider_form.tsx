import { Controller, useForm } from "react-hook-form";
import { api, refreshPaths } from "../../api/client";
import { asApiError } from "../../api/problem";
import { rulesOf, showFaults } from "../../lib/forms";
import { Field, Input, Select } from "../../ui/field";
import { FormEnd } from "../../ui/form_end";
import { toast } from "../../ui/toast";
import { KeyField } from "./key_field";
import { ModelNames } from "./model_names";
import {
  createBody,
  fieldNames,
  type Provider,
  type ProviderKind,
  type ProviderValues,
  patchBody,
  usualUrls,
  validModels,
  valuesOf,
} from "./provider_values";

const body = "ProviderInputCreate";

async function save(values: ProviderValues, provider: Provider | undefined) {
  if (!provider) return api.POST("/api/v1/providers", { body: createBody(values) });
  return api.PUT("/api/v1/providers/{provider_id}", {
    params: { path: { provider_id: provider.id }, header: { "If-Match": `"${provider.version}"` } },
    body: patchBody(values),
  });
}

interface ProviderFormProps {
  provider: Provider | undefined;
  onDone: () => void;
  /** With the id of a new one. */
  onAdded?: (id: string) => void;
}

export function ProviderForm({ provider, onDone, onAdded }: ProviderFormProps) {
  const form = useForm<ProviderValues>({ defaultValues: valuesOf(provider) });
  const { register, handleSubmit, control, formState, setError, setValue, getValues } = form;
  const { errors, isSubmitting } = formState;

  const submit = handleSubmit(async (values) => {
    try {
      await save(values, provider);
      refreshPaths("/api/v1/providers", "/api/v1/models");
      toast(provider ? "Changes saved" : `Provider ${values.id} added`);
      if (provider) onDone();
      else onAdded?.(values.id);
    } catch (error) {
      if (asApiError(error).code === "version_mismatch") {
        refreshPaths("/api/v1/providers");
        setError("root", { message: "Somebody else changed it meanwhile. Close this and open it again." });
      } else showFaults(error, fieldNames, setError);
    }
  });
  /** A usual address follows the protocol; one of the user's own stays. */
  const chooseKind = (kind: ProviderKind) => {
    if (Object.values(usualUrls).includes(getValues("base_url"))) setValue("base_url", usualUrls[kind]);
  };
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      {!provider && (
        <Field
          label="Id"
          isRequired
          hint="Agents name it in their config: lower-case letters, digits, - and _."
          error={errors.id?.message}
        >
          <Input
            className="font-mono"
            autoFocus
            {...register("id", rulesOf<ProviderValues, "id">(body, "id"))}
          />
        </Field>
      )}
      <Field
        label="Protocol"
        hint="Ollama, vLLM, Groq, Mistral and many others speak OpenAI's."
        error={errors.kind?.message}
      >
        <Select
          {...register("kind", { onChange: (event) => chooseKind(event.target.value as ProviderKind) })}
        >
          <option value="openai">OpenAI</option>
          <option value="anthropic">Anthropic</option>
        </Select>
      </Field>
      <Field
        label="Address"
        isRequired
        hint="With the version for OpenAI's protocol, without for Anthropic's. The operator says which hosts are allowed."
        error={errors.base_url?.message}
      >
        <Input
          type="url"
          className="font-mono"
          {...register("base_url", rulesOf<ProviderValues, "base_url">(body, "base_url"))}
        />
      </Field>
      <KeyField form={form} provider={provider} />
      <Field
        label="Default model"
        hint="For names of agents that are not listed below; left empty, the name is used as it is."
        error={errors.default_model?.message}
      >
        <Input
          className="font-mono"
          {...register("default_model", rulesOf<ProviderValues, "default_model">(body, "default_model"))}
        />
      </Field>
      <Controller
        control={control}
        name="models"
        rules={{ validate: validModels }}
        render={({ field }) => (
          <ModelNames names={field.value} onChange={field.onChange} error={errors.models?.message} />
        )}
      />
      <FormEnd
        fault={errors.root?.message}
        action={provider ? "Save changes" : "Add provider"}
        isBusy={isSubmitting}
        onCancel={onDone}
      />
    </form>
  );
}
