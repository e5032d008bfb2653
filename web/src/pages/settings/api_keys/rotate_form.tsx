import { useForm } from "react-hook-form";
import { $api, refreshPaths } from "../../../api/client";
import type { ApiKey } from "../../../api/people";
import { showFaults } from "../../../lib/forms";
import { Field, Select } from "../../../ui/field";
import { FormEnd } from "../../../ui/form_end";

const graces = [
  { seconds: 0, name: "Ends now" },
  { seconds: 3600, name: "For an hour" },
  { seconds: 86_400, name: "For a day" },
  { seconds: 7 * 86_400, name: "For a week" },
  { seconds: 30 * 86_400, name: "For 30 days" },
];

interface RotateFormProps {
  apiKey: ApiKey;
  onDone: (secret: string) => void;
  onCancel: () => void;
}

/** Another key in the place of this one, which is still taken for a while. */
export function RotateForm({ apiKey, onDone, onCancel }: RotateFormProps) {
  const { register, handleSubmit, setError, formState } = useForm({
    defaultValues: { grace_seconds: "86400" },
  });
  const rotate = $api.useMutation("post", "/api/v1/auth/api-keys/{key_id}/rotate");
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async ({ grace_seconds: grace }) => {
    try {
      const { api_key: secret } = await rotate.mutateAsync({
        params: { path: { key_id: apiKey.id } },
        body: { grace_seconds: Number(grace) },
      });
      refreshPaths("/api/v1/auth/api-keys");
      onDone(secret);
    } catch (error) {
      showFaults(error, ["grace_seconds"], setError);
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <Field
        label="The present key is still taken"
        hint="Long enough to bring the new one to every program that uses it."
        error={errors.grace_seconds?.message}
      >
        <Select {...register("grace_seconds")}>
          {graces.map(({ seconds, name }) => (
            <option key={seconds} value={seconds}>
              {name}
            </option>
          ))}
        </Select>
      </Field>
      <FormEnd fault={errors.root?.message} action="Rotate key" isBusy={isSubmitting} onCancel={onCancel} />
    </form>
  );
}
