import { Link } from "@tanstack/react-router";
import { useCan } from "../../api/hooks";
import { CopyLine } from "../../ui/copy";
import { Panel } from "../../ui/page";

const ways: { name: string; lines: string }[] = [
  { name: "OpenAI", lines: "OPENAI_API_KEY=sk-…" },
  { name: "Anthropic", lines: "ANTHROPIC_API_KEY=sk-ant-…" },
  {
    name: "Ollama, vLLM, llama.cpp on this machine",
    lines: "OPENAI_BASE_URL=http://127.0.0.1:11434/v1\nOPENAI_MODEL=qwen3:4b",
  },
];

/** No model is connected: agents quote their knowledge and do not think. */
export function ConnectHelp() {
  const mayWrite = useCan("providers:write");
  return (
    <Panel title="Connect a model">
      <p className="max-w-prose">
        Agents answer with passages of their knowledge until there is a model to think with. Set one of these
        where the server is started, and start it again
        {mayWrite && (
          <>
            ; or{" "}
            <Link to="/models" search={{ tab: "providers", add: true }} className="text-accent underline">
              add a provider
            </Link>{" "}
            for this organisation, which needs no restart
          </>
        )}
        .
      </p>
      <dl className="mt-4 grid gap-4 lg:grid-cols-3">
        {ways.map(({ name, lines }) => (
          <div key={name} className="min-w-0">
            <dt className="mb-1 font-medium">{name}</dt>
            <dd>
              <CopyLine text={lines} label={`Copy the settings for ${name}`} />
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
