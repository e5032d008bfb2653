"""The conversations that agents have with their models: what scripts are made of, and what is read from the calls."""

import re

from support.provider import Call, ToolCall, text_of

# A scripted provider tells by such a mark, in the first question, which conversation a call belongs to.
MARK = re.compile(r"\bcase-\d+(?:-child)?\b")
FERRY = {"id": "ferry", "content": "Boats\n\nThe ferry to Capri leaves at noon.", "source": "timetable"}


def mark_of(call: Call) -> str:
    """What the first question of the conversation is marked with."""
    for message in call.messages:
        if message.get("role") == "user" and (found := MARK.search(text_of(message.get("content")))):
            return found.group(0)
    return ""


def system_of(call: Call) -> str:
    return call.fields["system"] if call.is_anthropic else call.messages[0]["content"]


def turns_of(call: Call) -> list[dict]:
    return [message for message in call.messages if message["role"] != "system"]


def tool_names(call: Call) -> list[str]:
    return [tool.get("name") or tool["function"]["name"] for tool in call.fields.get("tools", [])]


def results_of(call: Call) -> list[str]:
    """The texts with which the tools answered."""
    return [text for _, text in call.tool_results]


def search(query: str = "ferry") -> ToolCall:
    return ToolCall("knowledge_search", {"query": query})


def delegate(agent: str, task: str, **fields: str) -> ToolCall:
    return ToolCall("delegate", {"agent_id": agent, "task": task}, **fields)
