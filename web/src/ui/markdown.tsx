import ReactMarkdown from "react-markdown";
import remarkGfm from "remark-gfm";

/** What a model wrote. Pictures of other hosts are not fetched: only their text is shown. */
export default function Markdown({ text }: { text: string }) {
  return (
    <div className="prose min-w-0 break-words">
      <ReactMarkdown
        remarkPlugins={[remarkGfm]}
        components={{
          img: ({ alt }) => <span>{alt}</span>,
          a: ({ href, children }) => (
            <a href={href} target="_blank" rel="noreferrer noopener">
              {children}
            </a>
          ),
        }}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
}
