/** The files of an import. They stand outside the page, so that it goes on while the user looks at something else. */
import { useSyncExternalStore } from "react";
import { authorizedFetch, refreshPaths } from "../../../api/client";
import { asApiError } from "../../../api/problem";
import { sessionState, subscribe as watchSession } from "../../../api/session";
import { type ImportAnswer, importItems, nothingYet, type Outcome } from "./import_items";
import { agentOf, type Contents, isAgentId, readFile } from "./read_file";

export type Phase =
  | "reading"
  | "unreadable"
  | "ready"
  | "waiting"
  | "running"
  | "done"
  | "failed"
  | "stopped";

export interface ImportFile {
  key: number;
  name: string;
  size: number;
  phase: Phase;
  /** Why it is unreadable or failed. */
  reason?: string;
  contents?: Contents;
  /** Whose knowledge it becomes; empty until it is chosen. */
  agentId: string;
  outcome: Outcome;
}

interface ImportState {
  files: readonly ImportFile[];
  isRunning: boolean;
}

let state: ImportState = { files: [], isRunning: false };
let lastKey = 0;
let running: AbortController | undefined;
const listeners = new Set<() => void>();

function become(next: Partial<ImportState>) {
  state = { ...state, ...next };
  for (const listener of listeners) listener();
}

function change(key: number, next: Partial<ImportFile>) {
  become({ files: state.files.map((file) => (file.key === key ? { ...file, ...next } : file)) });
}

export function useImport(): ImportState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** Whether it can be sent: also again, since what is there already is skipped. */
export const canImport = (file: ImportFile) =>
  ["ready", "failed", "stopped"].includes(file.phase) &&
  isAgentId(file.agentId) &&
  (file.contents?.items.length ?? 0) > 0;

/** Reads the files one after the other. `preferred` gets what does not say whose it is. */
export async function addFiles(
  files: readonly File[],
  known: readonly string[],
  preferred: string | undefined,
): Promise<void> {
  const added = files.map((file) => ({ file, key: ++lastKey }));
  const entries = added.map(({ file, key }) => ({
    key,
    name: file.name,
    size: file.size,
    phase: "reading" as const,
    agentId: "",
    outcome: nothingYet,
  }));
  become({ files: [...state.files, ...entries] });
  for (const { file, key } of added) {
    try {
      const contents = await readFile(file);
      const agentId = agentOf(file.name, contents, { known, preferred });
      change(key, { phase: "ready", contents, agentId });
    } catch (error) {
      change(key, { phase: "unreadable", reason: asApiError(error).message });
    }
  }
}

export const setAgent = (key: number, agentId: string) => change(key, { agentId });

export function removeFile(key: number): void {
  become({ files: state.files.filter((file) => file.key !== key) });
}

export function clearFiles(): void {
  become({ files: [] });
}

async function send(body: string, signal: AbortSignal): Promise<ImportAnswer> {
  const response = await authorizedFetch(`${location.origin}/api/v1/knowledge/import`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
    signal,
  });
  return (await response.json()) as ImportAnswer;
}

async function importFile(file: ImportFile, signal: AbortSignal) {
  const job = { agentId: file.agentId, file: file.name, items: file.contents?.items ?? [] };
  change(file.key, { phase: "running" });
  try {
    await importItems(job, send, signal, (outcome) => change(file.key, { outcome }));
    change(file.key, { phase: "done" });
  } catch (error) {
    if (signal.aborted) change(file.key, { phase: "stopped" });
    else change(file.key, { phase: "failed", reason: asApiError(error).message });
  }
}

const warn = (event: BeforeUnloadEvent) => event.preventDefault();

/** Imports what can be, one file after the other. One that fails leaves the others alone. */
export async function startImport(): Promise<void> {
  const stop = new AbortController();
  running = stop;
  window.addEventListener("beforeunload", warn);
  const chosen = state.files.filter(canImport);
  for (const file of chosen) change(file.key, { phase: "waiting", outcome: nothingYet, reason: undefined });
  become({ isRunning: true });
  for (const file of chosen) {
    if (stop.signal.aborted) change(file.key, { phase: "stopped" });
    else await importFile(file, stop.signal);
  }
  window.removeEventListener("beforeunload", warn);
  running = undefined;
  become({ isRunning: false });
  refreshPaths("/api/v1/knowledge", "/api/v1/agents");
}

export function stopImport(): void {
  running?.abort();
}

// The files are of who chose them, not of who signs in next.
watchSession(() => {
  if (sessionState().phase !== "anonymous") return;
  stopImport();
  clearFiles();
});
