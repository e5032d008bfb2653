/** What can be done about the reason why a task failed; the reasons are those of docs/services/worker.md. */

const helps: [reason: RegExp, help: string][] = [
  [
    /took longer than it may/,
    "Give it more time: create it again with more seconds an attempt or a later deadline, or make it smaller.",
  ],
  [/deadline passed before/, "It waited too long. Create it again with a later deadline, or free its agent."],
  [/part of the platform could not be reached/, "Look at Services; retry when all of them are healthy."],
  [/the worker that ran it lost it/, "The process that ran it went away. Retry."],
  [/its agent is gone/, "Create the agent again, or give the task to another one."],
  [
    /max_steps|max_total_tokens/,
    "Raise the limit in the agent's config, or make the task smaller, and retry.",
  ],
  [/model refused/, "The model does not answer this. Say it differently, or use another model."],
  [
    /the answer cannot be used/,
    "The model does not keep to the agent's answer_schema. Simplify it, or say more.",
  ],
  [/configuration|config\./, "Correct the agent's configuration, then retry."],
  [
    /\b(401|403)\b|api key|unauthori[sz]ed/i,
    "The provider refuses its key. Set another one on Models, then retry.",
  ],
  [/\b404\b|no such model/i, "The provider does not have this model. Change the agent's model, then retry."],
  [/\b429\b|\b5\d\d\b|too many requests/i, "The provider is busy or broken. Retry later."],
];

export function helpFor(reason: string): string {
  return helps.find(([pattern]) => pattern.test(reason))?.[1] ?? "Correct what it says, then retry.";
}
