import { Link } from "@tanstack/react-router";
import { BookText, Bot, Cpu, type LucideIcon, MessageCircleQuestion, UserPlus } from "lucide-react";
import type { ReactNode } from "react";
import { $api } from "../../../api/client";
import { useCan } from "../../../api/hooks";
import { Button } from "../../../ui/button";

/** What to do after the first answer, for those who may. */
export function NextSteps() {
  const mayConnect = useCan("providers:write");
  const mayCreate = useCan("agents:write");
  const mayInvite = useCan("users:write");
  const maySeeModels = useCan("models:read");
  const models = $api.useQuery("get", "/api/v1/models", {}, { enabled: maySeeModels });
  const hasModel = models.data?.models.some((model) => model.kind !== "extractive") ?? true;
  return (
    <section aria-label="What to do next" className="border-t border-line pt-4">
      <h3 className="text-base font-semibold">What to do next</h3>
      <ul className="mt-2 grid gap-2 sm:grid-cols-2">
        {!hasModel && mayConnect && (
          <Step icon={Cpu} to="/models" name="Connect a model">
            Until then agents quote their knowledge; with one they think.
          </Step>
        )}
        {mayCreate && (
          <Step icon={Bot} to="/agents/new" name="Create an agent">
            With your team's field, instructions and knowledge.
          </Step>
        )}
        {mayInvite && (
          <Step icon={UserPlus} to="/settings/users" name="Invite people">
            Give everybody the role that fits.
          </Step>
        )}
        <Step icon={MessageCircleQuestion} to="/welcome?step=ask" name="Ask something else">
          Another agent, another question.
        </Step>
        <li>
          <a href="/openapi.json" target="_blank" rel="noreferrer" className={step}>
            <StepWords icon={BookText} name="Read what the API can do">
              Everything here can be done by programs as well.
            </StepWords>
          </a>
        </li>
      </ul>
      <div className="mt-4 flex justify-end">
        <Button asChild look="primary">
          <Link to="/">Go to the overview</Link>
        </Button>
      </div>
    </section>
  );
}

const step = "flex h-full gap-3 rounded-md border border-line px-3 py-2 hover:bg-hover";

interface StepProps {
  icon: LucideIcon;
  name: string;
  children: ReactNode;
}

function StepWords({ icon: Icon, name, children }: StepProps) {
  return (
    <>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0 text-accent" />
      <span>
        <span className="block font-medium">{name}</span>
        <span className="block text-muted">{children}</span>
      </span>
    </>
  );
}

function Step({ to, ...words }: StepProps & { to: string }) {
  return (
    <li>
      <Link to={to} className={step}>
        <StepWords {...words} />
      </Link>
    </li>
  );
}
