/** A provider of models that speaks OpenAI's protocol, word by word, so that tests can watch an answer come. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const answer =
  "Use **parameterised queries**: the driver sends the statement and its values apart, so that no value can become SQL.\n\n" +
  "1. Bind every value.\n2. Give the database user the least rights.\n3. Check input for what it means, not for quotes.\n\n" +
  "```sql\nSELECT id FROM users WHERE email = $1;\n```\n";

export class Model {
  /** Between two words, in milliseconds. */
  pauseMs = 15;
  /** Answers with this status instead, when it is not 0. */
  failWith = 0;
  calls = 0;
  private readonly server: Server = createServer((request, response) => void this.serve(request, response));

  async start(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
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
    const asked = JSON.parse(Buffer.concat(pieces).toString() || "{}") as {
      model?: string;
      stream?: boolean;
    };
    const usage = { prompt_tokens: 420, completion_tokens: 96, total_tokens: 516 };
    const head = { id: `chatcmpl-${this.calls}`, model: asked.model ?? "gpt-5-mini", created: 1700000000 };
    if (!asked.stream) {
      const message = { role: "assistant", content: answer };
      return json(200, {
        ...head,
        object: "chat.completion",
        choices: [{ index: 0, message, finish_reason: "stop" }],
        usage,
      });
    }
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const send = (delta: object, finish: string | null) =>
      response.write(
        `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
      );
    for (const word of answer.match(/\S+\s*/g) ?? []) {
      if (response.destroyed) return;
      send({ content: word }, null);
      await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
    send({}, "stop");
    response.write(
      `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [], usage })}\n\n`,
    );
    response.end("data: [DONE]\n\n");
  }
}
