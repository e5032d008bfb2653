import { useState } from "react";
import { useForm } from "react-hook-form";
import { $api, refreshPaths } from "../../../api/client";
import { useCan, useMe } from "../../../api/hooks";
import { rulesOf, showFaults } from "../../../lib/forms";
import { Field, Input, Select } from "../../../ui/field";
import { FormEnd } from "../../../ui/form_end";
import { PermissionMatrix } from "../permission_matrix";
import { expiryOf, type Preset, presets, today, validExpiry } from "./expiry";

interface Values {
  name: string;
  owner: "me" | "service";
  preset: Preset;
  expires_at: string;
  permissions: string[];
}

interface KeyFormProps {
  onDone: (secret: string) => void;
  onCancel: () => void;
}

export function KeyForm({ onDone, onCancel }: KeyFormProps) {
  const { permissions: held } = useMe();
  const canMakeForServices = useCan("api_keys:write");
  const [openedAt] = useState(Date.now);
  const { register, handleSubmit, watch, setValue, setError, clearErrors, formState } = useForm<Values>({
    defaultValues: { owner: "me", preset: "90", expires_at: "", permissions: [] },
  });
  const create = $api.useMutation("post", "/api/v1/auth/api-keys");
  const { errors, isSubmitting } = formState;
  const permissions = watch("permissions");
  const submit = handleSubmit(async ({ name, owner, preset, expires_at: date }) => {
    if (permissions.length === 0) return setError("permissions", { message: "Choose what it may do." });
    try {
      const body = { name: name.trim(), permissions, expires_at: expiryOf(preset, date, Date.now()) };
      const { api_key: secret } = await create.mutateAsync({ params: { query: { owner } }, body });
      refreshPaths("/api/v1/auth/api-keys");
      onDone(secret);
    } catch (error) {
      showFaults(error, ["name", "expires_at", "permissions"], setError);
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Name" hint="What it is for." error={errors.name?.message} className="sm:col-span-2">
          <Input autoFocus {...register("name", rulesOf("ApiKeyCreate", "name"))} />
        </Field>
        {canMakeForServices && (
          <Field label="Owner" hint="The key of a service goes on when you leave." className="sm:col-span-2">
            <Select {...register("owner")}>
              <option value="me">You</option>
              <option value="service">A service, nobody's</option>
            </Select>
          </Field>
        )}
        <Field label="Ends">
          <Select {...register("preset")}>
            {presets.map(({ value, name }) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </Select>
        </Field>
        {watch("preset") === "date" && (
          <Field label="Last day" error={errors.expires_at?.message}>
            <Input
              type="date"
              min={today(openedAt)}
              {...register("expires_at", {
                validate: (date, { preset }) => validExpiry(preset, date, Date.now()),
              })}
            />
          </Field>
        )}
      </div>
      <div className="flex flex-col gap-1">
        <h3 className="font-medium">What it may do</h3>
        <PermissionMatrix
          label="What the key may do"
          permissions={permissions}
          grantable={held}
          onChange={(chosen) => {
            setValue("permissions", chosen);
            clearErrors("permissions");
          }}
        />
        {errors.permissions && (
          <p role="alert" className="text-xs text-danger">
            {errors.permissions.message}
          </p>
        )}
      </div>
      <FormEnd fault={errors.root?.message} action="Create key" isBusy={isSubmitting} onCancel={onCancel} />
    </form>
  );
}
