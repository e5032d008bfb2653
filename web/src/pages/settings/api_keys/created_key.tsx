import { Button } from "../../../ui/button";
import { CopyButton, Secret } from "../../../ui/copy";
import { DialogActions } from "../../../ui/dialog";

/** The key, once, and what to do with it. */
export function CreatedKey({ secret, onClose }: { secret: string; onClose: () => void }) {
  const example = `curl ${location.origin}/api/v1/agents \\\n  -H "Authorization: Bearer ${secret}"`;
  return (
    <div className="flex flex-col gap-4">
      <Secret value={secret} label="API key" />
      <div>
        <h3 className="mb-1 font-medium">Use it like this</h3>
        <div className="relative rounded-md border border-line bg-sunken p-3 pr-10">
          <pre className="font-mono text-xs break-all whitespace-pre-wrap">{example}</pre>
          <div className="absolute top-1 right-1">
            <CopyButton text={example} label="Copy example" />
          </div>
        </div>
      </div>
      <DialogActions>
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </DialogActions>
    </div>
  );
}
