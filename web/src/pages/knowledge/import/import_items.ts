/** Sends the items of one file, and adds up what became of them. */
import type { Schemas } from "../../../api/client";
import { asApiError } from "../../../api/problem";
import type { Fault, ImportItem } from "./check_item";
import { importBody, planRequests } from "./plan";

export type ImportAnswer = Schemas["ImportAnswer"];

export interface Outcome {
  /** Items that were sent and answered. */
  done: number;
  imported: number;
  merged: number;
  skipped: number;
  isAgentCreated: boolean;
  leftOut: Fault[];
  faulty: Fault[];
}

export const nothingYet: Outcome = {
  done: 0,
  imported: 0,
  merged: 0,
  skipped: 0,
  isAgentCreated: false,
  leftOut: [],
  faulty: [],
};

export type Send = (body: string, signal: AbortSignal) => Promise<ImportAnswer>;

const triesMax = 5;

function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Again when that may help: what was imported before is skipped, so a repetition changes nothing. */
async function sendPatiently(send: Send, body: string, signal: AbortSignal): Promise<ImportAnswer> {
  for (let attempt = 1; ; ++attempt) {
    try {
      return await send(body, signal);
    } catch (error) {
      signal.throwIfAborted();
      const problem = asApiError(error);
      if (!problem.mayPass || attempt === triesMax) throw problem;
      await pause(problem.retryAfterSeconds ?? 2 ** (attempt - 1), signal);
    }
  }
}

function add(sum: Outcome, request: readonly ImportItem[], answer: ImportAnswer): Outcome {
  const placed = ({ position, reason }: { position: number; reason: string }): Fault => {
    const item = request[position];
    return { line: item?.line ?? 0, id: item?.id ?? "", reason };
  };
  return {
    done: sum.done + request.length,
    imported: sum.imported + answer.imported,
    merged: sum.merged + answer.merged,
    skipped: sum.skipped + answer.skipped,
    isAgentCreated: sum.isAgentCreated || answer.agent_created,
    leftOut: [...sum.leftOut, ...answer.left_out.map(placed)],
    faulty: [...sum.faulty, ...answer.faulty.map(placed)],
  };
}

interface ImportJob {
  agentId: string;
  file: string;
  items: readonly ImportItem[];
}

/** Throws what `send` throws, and the signal's reason; `onProgress` has told what was done until then. */
export async function importItems(
  { agentId, file, items }: ImportJob,
  send: Send,
  signal: AbortSignal,
  onProgress: (outcome: Outcome) => void,
): Promise<void> {
  let outcome = nothingYet;
  for (const request of planRequests(items)) {
    signal.throwIfAborted();
    const answer = await sendPatiently(send, importBody(agentId, file, request), signal);
    outcome = add(outcome, request, answer);
    onProgress(outcome);
  }
}
