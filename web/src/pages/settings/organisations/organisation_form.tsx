import { useState } from "react";
import { useForm } from "react-hook-form";
import { api, idempotencyKey, refreshPaths, type Schemas } from "../../../api/client";
import { rulesOf, showFaults } from "../../../lib/forms";
import { Field, Input } from "../../../ui/field";
import { FormEnd } from "../../../ui/form_end";
import { toast } from "../../../ui/toast";
import { ifMatch } from "../versions";

interface OrganisationFormProps {
  /** To be renamed; without it one is created. */
  organisation?: Schemas["Organisation"];
  onClose: () => void;
}

export function OrganisationForm({ organisation, onClose }: OrganisationFormProps) {
  const [key] = useState(idempotencyKey);
  const { register, handleSubmit, setError, formState } = useForm({
    defaultValues: { id: organisation?.id ?? "", name: organisation?.name ?? "" },
  });
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async ({ id, name }) => {
    try {
      if (organisation)
        await api.PUT("/api/v1/organisations/{organisation_id}", {
          params: { path: { organisation_id: organisation.id }, header: ifMatch(organisation) },
          body: { name: name.trim() },
        });
      else
        await api.POST("/api/v1/organisations", {
          params: { header: { "Idempotency-Key": key } },
          body: { id, name: name.trim() },
        });
      refreshPaths("/api/v1/organisations");
      toast(organisation ? "Organisation renamed" : `${name.trim()} is created. Make its first user now.`);
      onClose();
    } catch (error) {
      showFaults(error, ["id", "name"], setError);
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <Field label="Name" error={errors.name?.message}>
        <Input autoFocus autoComplete="off" {...register("name", rulesOf("OrganisationCreate", "name"))} />
      </Field>
      {!organisation && (
        <Field
          label="Id"
          hint="Small letters, digits, - and _. It cannot be changed later."
          error={errors.id?.message}
        >
          <Input
            autoComplete="off"
            className="font-mono"
            {...register("id", rulesOf("OrganisationCreate", "id"))}
          />
        </Field>
      )}
      <FormEnd
        fault={errors.root?.message}
        action={organisation ? "Rename" : "Create organisation"}
        isBusy={isSubmitting}
        onCancel={onClose}
      />
    </form>
  );
}
