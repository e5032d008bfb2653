/** Server-sent events of an answer to `fetch`: unlike EventSource it can POST and send a token. */

export interface ServerEvent {
  id?: string;
  event: string;
  data: string;
}

/** Takes text in any pieces and gives the events that are whole; as the HTML standard parses them. */
export function createEventParser(): (text: string) => ServerEvent[] {
  let rest = "";
  let isStart = true;
  let id: string | undefined;
  let event = "";
  let data: string[] = [];

  const takeField = (line: string) => {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
    else if (name === "id" && !value.includes("\0")) id = value;
  };

  const finish = (): ServerEvent | undefined => {
    const whole =
      data.length > 0
        ? { ...(id === undefined ? {} : { id }), event: event || "message", data: data.join("\n") }
        : undefined;
    event = "";
    data = [];
    return whole;
  };

  return (text) => {
    rest += isStart ? text.replace(/^\uFEFF/, "") : text;
    isStart &&= text === "";
    // A \r at the end may be the first half of \r\n: it waits for what follows.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    const events: ServerEvent[] = [];
    for (const line of lines) {
      if (line !== "") takeField(line);
      else {
        const whole = finish();
        if (whole) events.push(whole);
      }
    }
    return events;
  };
}

/** The events of a response as they come. What is cut off at the end is no event. Leaving the loop ends the request. */
export async function* readEvents(response: Response): AsyncGenerator<ServerEvent> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  const parse = createEventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      yield* parse(done ? decoder.decode() : decoder.decode(value, { stream: true }));
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
