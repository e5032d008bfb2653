import type { Source } from "../../../api/tasks/task";

/** The passages that an answer stands on. */
export function Sources({ sources }: { sources: readonly Source[] }) {
  if (sources.length === 0)
    return <p className="text-muted">Its knowledge had nothing about this: the words are the model's own.</p>;
  return (
    <section aria-label="Sources">
      <h3 className="mb-1 font-medium">Sources</h3>
      <ol className="divide-y divide-line rounded-md border border-line">
        {sources.map((source, index) => (
          <li key={`${source.agent_id}/${source.knowledge_id}`}>
            <details>
              <summary className="cursor-pointer px-3 py-2 -outline-offset-2 hover:bg-hover">
                <span className="mr-2 text-muted tabular-nums">[{index + 1}]</span>
                {source.source || source.knowledge_id}
              </summary>
              <p className="px-3 pb-3 whitespace-pre-wrap text-muted">{source.passage}</p>
            </details>
          </li>
        ))}
      </ol>
    </section>
  );
}
