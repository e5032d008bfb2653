import { Link, useSearch } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { useMe } from "../../api/hooks";
import { endTour } from "../../lib/tour";
import { Button } from "../../ui/button";
import { Page, Panel } from "../../ui/page";
import { Ask } from "./tour/ask";
import { Intro } from "./tour/intro";
import { Steps } from "./tour/steps";
import { Watch } from "./tour/watch";

/** The tour of the first sign-in: from what this is to a first task answered. */
export function Welcome() {
  const { step, task } = useSearch({ from: "/signed-in/welcome" });
  const { user } = useMe();
  const [doneTask, setDoneTask] = useState<string>();
  const finish = useCallback(() => setDoneTask(task), [task]);
  const isDone = task !== undefined && doneTask === task;
  const current = task ? (isDone ? 3 : 2) : step === "ask" ? 1 : 0;
  const firstName = user.full_name?.split(" ")[0];
  return (
    <Page
      title={firstName ? `Welcome, ${firstName}` : "Welcome"}
      about="Two minutes to a first answer."
      actions={
        !isDone && (
          <Button asChild look="quiet">
            <Link to="/" onClick={endTour}>
              Skip the tour
            </Link>
          </Button>
        )
      }
    >
      <div className="flex w-full max-w-3xl flex-col gap-4">
        <Steps current={current} />
        <Panel>
          {task ? <Watch key={task} taskId={task} onDone={finish} /> : step === "ask" ? <Ask /> : <Intro />}
        </Panel>
      </div>
    </Page>
  );
}
