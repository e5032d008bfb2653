import { PlugZap } from "lucide-react";
import { $api } from "../../api/client";
import { asApiError } from "../../api/problem";
import { formatSeconds } from "../../lib/format";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Notice } from "../../ui/states";

const shownMax = 30;

/** Asks the provider for its models, with the key that is stored. */
export function ProviderTest({ id }: { id: string }) {
  const test = $api.useMutation("post", "/api/v1/providers/{provider_id}/test");
  const result = test.data;
  const error: unknown = test.error;
  return (
    <section className="flex flex-col gap-3 border-b border-line pb-5">
      <div className="flex items-center justify-between gap-3">
        <p className="text-muted">Asks it for its models, with the stored key and address.</p>
        <Button
          isBusy={test.isPending}
          onClick={() => test.mutate({ params: { path: { provider_id: id } } })}
        >
          <PlugZap aria-hidden className="size-4" /> {test.isPending ? "Testing…" : "Test connection"}
        </Button>
      </div>
      <div role="status" className="flex flex-col gap-2">
        {error != null && <Notice tone="danger">{asApiError(error).message}</Notice>}
        {result && !result.ok && (
          <Notice tone="danger">
            {result.reason ?? "It did not answer."} ({formatSeconds(result.latency_ms / 1000)})
          </Notice>
        )}
        {result?.ok && (
          <Notice tone="ok">
            It answered in {formatSeconds(result.latency_ms / 1000)} with {result.models.length}{" "}
            {result.models.length === 1 ? "model" : "models"}.
          </Notice>
        )}
        {result?.ok && <FoundModels models={result.models} />}
      </div>
    </section>
  );
}

function FoundModels({ models }: { models: readonly string[] }) {
  if (models.length === 0) return null;
  return (
    <ul aria-label="Models found" className="flex flex-wrap gap-1">
      {models.slice(0, shownMax).map((model) => (
        <li key={model}>
          <Badge className="font-mono">{model}</Badge>
        </li>
      ))}
      {models.length > shownMax && (
        <li className="text-xs text-muted">and {models.length - shownMax} more</li>
      )}
    </ul>
  );
}
