import { useState } from "react";
import { $api, type Schemas } from "../../../api/client";
import { useMe } from "../../../api/hooks";
import { loadMe } from "../../../api/session";
import { Badge } from "../../../ui/badge";
import { Button } from "../../../ui/button";
import { Panel } from "../../../ui/page";
import { toast, toastError } from "../../../ui/toast";
import { Enrolment } from "./enrolment";
import { RecoveryCodes } from "./recovery_codes";
import { TurnOff } from "./turn_off";

type Step =
  | { is: "state" }
  | { is: "enrolling"; begun: Schemas["MfaSecret"] }
  | { is: "codes"; codes: string[] };

/** A code of an authenticator app beside the password: whether it is on, how to turn it on and off. */
export function SecondFactor() {
  const isOn = useMe().user.mfa_enabled;
  const [step, setStep] = useState<Step>({ is: "state" });
  const begin = $api.useMutation("post", "/api/v1/auth/mfa", {
    onSuccess: (begun) => setStep({ is: "enrolling", begun }),
    onError: (error) => toastError("The second factor cannot be set up", error),
  });
  const showCodes = (codes: string[]) => {
    setStep({ is: "codes", codes });
    void loadMe().catch(() => undefined);
  };
  return (
    <Panel
      title="Second factor"
      about={isOn ? <Badge tone="ok">On</Badge> : <Badge>Off</Badge>}
      actions={isOn && step.is === "state" && <TurnOff />}
    >
      {step.is === "enrolling" && (
        <Enrolment begun={step.begun} onDone={showCodes} onCancel={() => setStep({ is: "state" })} />
      )}
      {step.is === "codes" && (
        <RecoveryCodes
          codes={step.codes}
          onDone={() => {
            setStep({ is: "state" });
            toast("The second factor is on");
          }}
        />
      )}
      {step.is === "state" &&
        (isOn ? <On /> : <Off isBusy={begin.isPending} onBegin={() => begin.mutate({})} />)}
    </Panel>
  );
}

function On() {
  return (
    <p className="text-muted">
      Signing in asks for a code of your authenticator app, or for one of your recovery codes. When you have
      used most of these, or want another phone, turn it off and set it up again. An administrator turns it
      off for who has lost both.
    </p>
  );
}

function Off({ isBusy, onBegin }: { isBusy: boolean; onBegin: () => void }) {
  return (
    <div className="flex flex-col items-start gap-3">
      <p className="text-muted">
        With it, whoever learns your password does not get in: signing in also asks for a code that an app on
        your phone shows, such as Aegis, Google Authenticator or a password manager.
      </p>
      <Button look="primary" isBusy={isBusy} onClick={onBegin}>
        Set up second factor
      </Button>
    </div>
  );
}
