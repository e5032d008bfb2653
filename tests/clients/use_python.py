"""What the official Python clients see, as one JSON object; run by test_official_clients.py in its own environment.

usage: use_python.py OPENAI_URL ANTHROPIC_URL TOKEN
"""

import json
import sys

import anthropic
import openai

openai_url, anthropic_url, token = sys.argv[1:]
TOOL = {"name": "weather", "description": "The weather.", "parameters": {"type": "object", "properties": {}}}
HELLO = [{"role": "user", "content": "hello"}]
seen = {}


def refused(call, classes):
    try:
        call()
    except classes as error:
        return [type(error).__name__, error.status_code]
    return "no error"


client = openai.OpenAI(base_url=openai_url, api_key=token, max_retries=0)
answer = client.chat.completions.create(model="gpt-5-mini", messages=HELLO, extra_body={"x_unknown": {"deep": [1]}})
text = answer.choices[0].message.content
seen["openai plain"] = [text, answer.usage.total_tokens > 0, "x_last" in answer.model_extra]
stream = client.chat.completions.create(model="gpt-5-mini", messages=HELLO, stream=True)
seen["openai stream"] = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
answer = client.chat.completions.create(
    model="gpt-5-mini", messages=HELLO, tools=[{"type": "function", "function": TOOL}]
)
call = answer.choices[0].message.tool_calls[0]
seen["openai tools"] = [call.function.name, json.loads(call.function.arguments)]
seen["openai embeddings"] = len(client.embeddings.create(model="text-embedding-3-small", input=["a"]).data[0].embedding)
seen["openai models"] = "gpt-5-mini" in [model.id for model in client.models.list()]
chat = client.chat.completions.create
seen["openai 429"] = refused(lambda: chat(model="gpt-5-mini", messages=HELLO), openai.RateLimitError)
seen["openai 400"] = refused(lambda: chat(model="gpt-5-mini", messages=HELLO), openai.BadRequestError)
stranger = openai.OpenAI(base_url=openai_url, api_key="al_wrong", max_retries=0)
seen["openai 401"] = refused(
    lambda: stranger.chat.completions.create(model="gpt-5-mini", messages=HELLO), openai.AuthenticationError
)

client = anthropic.Anthropic(base_url=anthropic_url, api_key=token, max_retries=0)
create = client.messages.create
answer = create(model="claude-sonnet-4-6", max_tokens=64, messages=HELLO)
seen["anthropic plain"] = [answer.content[0].text, answer.usage.output_tokens > 0, "x_last" in answer.model_extra]
with client.messages.stream(model="claude-sonnet-4-6", max_tokens=64, messages=HELLO) as stream:
    seen["anthropic stream"] = "".join(stream.text_stream)
tool = {"name": "weather", "description": "The weather.", "input_schema": TOOL["parameters"]}
answer = create(model="claude-sonnet-4-6", max_tokens=64, messages=HELLO, tools=[tool])
use = next(block for block in answer.content if block.type == "tool_use")
seen["anthropic tools"] = [use.name, use.input]
counted = client.messages.count_tokens(model="claude-sonnet-4-6", messages=HELLO)
seen["anthropic count"] = counted.input_tokens > 0
message = {"model": "claude-sonnet-4-6", "max_tokens": 64, "messages": HELLO}
seen["anthropic 429"] = refused(lambda: create(**message), anthropic.RateLimitError)
seen["anthropic 400"] = refused(lambda: create(**message), anthropic.BadRequestError)
stranger = anthropic.Anthropic(base_url=anthropic_url, api_key="al_wrong", max_retries=0)
seen["anthropic 401"] = refused(lambda: stranger.messages.create(**message), anthropic.AuthenticationError)
print(json.dumps(seen))
