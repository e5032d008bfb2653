import { Download } from "lucide-react";
import { useMe } from "../../../api/hooks";
import { Button } from "../../../ui/button";
import { CopyButton } from "../../../ui/copy";
import { Notice } from "../../../ui/states";

/** For who has lost the phone. They stay on the screen until the user says that he has them. */
export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const { email } = useMe().user;
  return (
    <div className="flex flex-col gap-3">
      <Notice>
        Keep these recovery codes where you keep what matters, not on the phone. They are not shown again.
      </Notice>
      <p className="text-muted">
        Each is good once, in place of the app's code. Your other sessions have ended.
      </p>
      <div className="relative rounded-md border border-line bg-sunken p-3 pr-10">
        <ul
          className="grid gap-x-6 gap-y-1 font-mono text-xs sm:grid-cols-[repeat(auto-fit,minmax(16.5rem,1fr))]"
          aria-label="Recovery codes"
        >
          {codes.map((code) => (
            <li key={code} className="break-all">
              {code}
            </li>
          ))}
        </ul>
        <div className="absolute top-1 right-1">
          <CopyButton text={codes.join("\n")} label="Copy recovery codes" />
        </div>
      </div>
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => download(codes, email)}>
          <Download aria-hidden className="size-4" /> Download as text
        </Button>
        <Button look="primary" onClick={onDone}>
          I have kept them
        </Button>
      </div>
    </div>
  );
}

function download(codes: string[], email: string) {
  const text = `Recovery codes of ${email} for Agent Lightning at ${location.origin}\nEach is good once.\n\n`;
  const address = URL.createObjectURL(new Blob([`${text}${codes.join("\n")}\n`], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = "agent-lightning-recovery-codes.txt";
  link.click();
  URL.revokeObjectURL(address);
}
