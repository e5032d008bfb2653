import { Link } from "@tanstack/react-router";
import { Activity, BookOpen, Bot, ListChecks, type LucideIcon } from "lucide-react";
import { Button } from "../../../ui/button";
import { StepHeading } from "./step_heading";

const parts: { icon: LucideIcon; name: string; about: string }[] = [
  {
    icon: Bot,
    name: "Agents",
    about: "Each has a field, a model and tools. Ten are here from the start; you can make your own.",
  },
  {
    icon: ListChecks,
    name: "Tasks",
    about:
      "Work given to an agent: it waits its turn, runs, is tried again when it fails, and ends with an answer.",
  },
  {
    icon: BookOpen,
    name: "Knowledge",
    about: "What an agent looks up before it answers. The answer names the passages that it stands on.",
  },
  {
    icon: Activity,
    name: "Events",
    about: "Every change is one. That is how these pages stay up to date, and how you can see what happened.",
  },
];

/** What this is, in four sentences. */
export function Intro() {
  return (
    <>
      <StepHeading>Agents that answer from what your team knows</StepHeading>
      <ul className="mt-4 grid gap-4 sm:grid-cols-2">
        {parts.map(({ icon: Icon, name, about }) => (
          <li key={name} className="flex gap-3">
            <Icon aria-hidden className="mt-0.5 size-5 shrink-0 text-accent" />
            <div>
              <h3 className="text-base font-medium">{name}</h3>
              <p className="text-muted">{about}</p>
            </div>
          </li>
        ))}
      </ul>
      <div className="mt-6 flex justify-end">
        <Button asChild look="primary">
          <Link to="/welcome" search={{ step: "ask" }}>
            Ask a question
          </Link>
        </Button>
      </div>
    </>
  );
}
