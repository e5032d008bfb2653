import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { IconButton } from "./button";
import { Notice } from "./states";
import { toastError } from "./toast";

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      toastError(
        "Not copied",
        new Error("The browser does not allow it here; select the text and copy it by hand."),
      );
    }
  };
  return (
    <IconButton label={isCopied ? "Copied" : label} onClick={() => void copy()}>
      {isCopied ? (
        <Check aria-hidden className="size-3.5 text-ok" />
      ) : (
        <Copy aria-hidden className="size-3.5" />
      )}
    </IconButton>
  );
}

/** A command or a line of settings, to be used in another place. */
export function CopyLine({ text, label }: { text: string; label: string }) {
  return (
    <div className="flex items-start gap-1 rounded-md border border-line bg-sunken py-1 pr-1 pl-3">
      <code className="min-w-0 flex-1 py-2 font-mono text-xs break-words whitespace-pre-wrap">{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  );
}

/** A secret that is shown once. */
export function Secret({ value, label }: { value: string; label: string }) {
  return (
    <div className="flex flex-col gap-2">
      <Notice>Copy it now: it is not shown again.</Notice>
      <div className="flex items-center gap-1 rounded-md border border-line bg-sunken py-1 pr-1 pl-3">
        <code className="min-w-0 flex-1 font-mono text-xs break-all" data-testid="secret">
          {value}
        </code>
        <CopyButton text={value} label={`Copy ${label}`} />
      </div>
    </div>
  );
}
