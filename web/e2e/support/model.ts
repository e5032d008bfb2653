/** A provider of models that speaks OpenAI's protocol, word by word, so that tests can watch an answer come. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const answer =
  "Use **parameterised queries**: the driver sends the statement and its values apart, so that no value can become SQL.\n\n" +
  "1. Bind every value.\n2. Give the database user the least rights.\n3. Check input for what it means, not for quotes.\n\n" +
  "```sql\nSELECT id FROM users WHERE email = $1;\n```\n";

/** What it says at one time: words, or which tools it wants. */
export interface Turn {
  text?: string;
  calls?: { name: string; arguments: object }[];
}

interface Asked {
  model?: string;
  stream?: boolean;
  messages?: { role: string; content?: unknown }[];
}

export class Model {
  /** Between two words, in milliseconds. */
  pauseMs = 15;
  /** Answers with this status instead, when it is not 0. */
  failWith = 0;
  calls = 0;
  /** What it says to a question with these words in it, turn by turn; to all others `answer`. */
  readonly scripts = new Map<string, Turn[]>();
  /** Questions with these words in it get no answer. */
  silentAbout = "";
  private readonly server: Server = createServer((request, response) => void this.serve(request, response));

  async start(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private turnFor(question: string, messages: Asked["messages"] = []): Turn {
    const turn = messages.slice(messages.map(({ role }) => role).lastIndexOf("user") + 1);
    const said = turn.filter(({ role }) => role === "assistant").length;
    for (const [about, turns] of this.scripts)
      if (question.includes(about)) return turns[said] ?? { text: answer };
    return { text: answer };
  }

  private async serve(request: IncomingMessage, response: ServerResponse) {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const json = (status: number, body: object) => {
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    };
    if (request.url?.endsWith("/models")) return json(200, { object: "list", data: [{ id: "gpt-5-mini" }] });
    if (this.failWith) return json(this.failWith, { error: { message: "the provider is out of order" } });
    ++this.calls;
    const body = Buffer.concat(pieces).toString();
    const asked = JSON.parse(body || "{}") as Asked;
    const question = JSON.stringify(
      asked.messages?.filter(({ role }) => role === "user").at(-1)?.content ?? "",
    );
    if (this.silentAbout && question.includes(this.silentAbout)) return;
    const { text = "", calls = [] } = this.turnFor(question, asked.messages);
    const usage = {
      prompt_tokens: tokensOf(body),
      completion_tokens: tokensOf(text + JSON.stringify(calls)),
    };
    const head = { id: `chatcmpl-${this.calls}`, model: asked.model ?? "gpt-5-mini", created: 1700000000 };
    const toolCalls = calls.map((call, index) => ({
      index,
      id: `call-${this.calls}-${index}`,
      type: "function",
      function: { name: call.name, arguments: JSON.stringify(call.arguments) },
    }));
    const finish = calls.length > 0 ? "tool_calls" : "stop";
    if (!asked.stream) {
      const message = {
        role: "assistant",
        content: text,
        ...(calls.length > 0 && { tool_calls: toolCalls }),
      };
      return json(200, {
        ...head,
        object: "chat.completion",
        choices: [{ index: 0, message, finish_reason: finish }],
        usage,
      });
    }
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const send = (delta: object, reason: string | null) =>
      response.write(
        `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`,
      );
    for (const word of text.match(/\S+\s*/g) ?? []) {
      if (response.destroyed) return;
      send({ content: word }, null);
      await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
    if (toolCalls.length > 0) send({ tool_calls: toolCalls }, null);
    send({}, finish);
    response.write(
      `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [], usage })}\n\n`,
    );
    response.end("data: [DONE]\n\n");
  }
}

/** About as many as providers count. */
const tokensOf = (text: string) => Math.ceil(text.length / 4);
