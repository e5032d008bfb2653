import { useState } from "react";
import { useForm } from "react-hook-form";
import { $api, idempotencyKey, refreshPaths } from "../../../api/client";
import { useMe } from "../../../api/hooks";
import { rulesOf, showFaults } from "../../../lib/forms";
import { Field, Input } from "../../../ui/field";
import { FormEnd } from "../../../ui/form_end";
import { PermissionMatrix } from "../permission_matrix";
import type { Role } from "../use_roles";
import { ifMatch } from "../versions";

interface Values {
  id: string;
  description: string;
  permissions: string[];
}

interface RoleFormProps {
  /** To be changed; without it one is created. */
  role?: Role;
  onDone: (role: Role) => void;
  onCancel: () => void;
}

export function RoleForm({ role, onDone, onCancel }: RoleFormProps) {
  const { permissions: held } = useMe();
  const [key] = useState(idempotencyKey);
  const { register, handleSubmit, watch, setValue, setError, formState } = useForm<Values>({
    defaultValues: {
      id: role?.id ?? "",
      description: role?.description ?? "",
      permissions: role?.permissions ?? [],
    },
  });
  const create = $api.useMutation("post", "/api/v1/roles");
  const change = $api.useMutation("put", "/api/v1/roles/{role_id}");
  const { errors, isSubmitting } = formState;
  const permissions = watch("permissions");
  const submit = handleSubmit(async ({ id, description }) => {
    try {
      const saved = role
        ? await change.mutateAsync({
            params: { path: { role_id: role.id }, header: ifMatch(role) },
            body: { description, permissions },
          })
        : await create.mutateAsync({
            params: { header: { "Idempotency-Key": key } },
            body: { id, description, permissions },
          });
      refreshPaths("/api/v1/roles");
      onDone(saved);
    } catch (error) {
      showFaults(error, ["id", "description", "permissions"], setError);
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      {!role && (
        <Field
          label="Name"
          hint="Small letters, digits, - and _. It cannot be changed later."
          error={errors.id?.message}
        >
          <Input autoFocus autoComplete="off" {...register("id", rulesOf("RoleCreate", "id"))} />
        </Field>
      )}
      <Field label="What it is for" error={errors.description?.message}>
        <Input {...register("description", rulesOf("RoleCreate", "description"))} />
      </Field>
      <div className="flex flex-col gap-1">
        <h3 className="font-medium">What it permits</h3>
        <PermissionMatrix
          label="What the role permits"
          permissions={permissions}
          grantable={held}
          onChange={(chosen) => setValue("permissions", chosen)}
        />
        {errors.permissions && (
          <p role="alert" className="text-xs text-danger">
            {errors.permissions.message}
          </p>
        )}
      </div>
      <FormEnd
        fault={errors.root?.message}
        action={role ? "Save role" : "Create role"}
        isBusy={isSubmitting}
        onCancel={onCancel}
      />
    </form>
  );
}
