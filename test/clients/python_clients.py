"""The official Python clients, asked over stdin: one JSON question a line, one JSON answer a line."""

import json
import re
import sys

import anthropic
import openai
from google import genai
from google.genai import errors as genai_errors
from google.genai import types

DECISION = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


class Listener:
    """Text as it streams, so that what came before an error is known."""

    def __init__(self):
        self.text = ""
        self.refusal = ""


def thrown(error, listener):
    said = {"error": type(error).__name__, "message": str(error), "text": listener.text}
    if listener.refusal:
        said["refusal"] = listener.refusal
    shown = ""
    if isinstance(error, (openai.APIStatusError, anthropic.APIStatusError)):
        said["status"] = error.status_code
        shown = error.response.headers.get("x-switchyard-decision", "")
    if isinstance(error, genai_errors.APIError):
        said["status"] = error.code
        shown = json.dumps(error.details)
    found = DECISION.search(shown)
    if found:
        said["decision"] = found.group()
    return said


class OpenAIChat:
    def __init__(self, origin, tool):
        self.client = openai.OpenAI(base_url=f"{origin}/v1", api_key="none")
        self.tool = tool

    def ask(self, manner, question, listener):
        messages = [{"role": "user", "content": question["prompt"]}]
        if "toolResult" in question:
            call = {"name": self.tool["name"], "arguments": "{}"}
            calls = [{"id": "call_1", "type": "function", "function": call}]
            messages.append({"role": "assistant", "tool_calls": calls})
            result = question["toolResult"]
            messages.append({"role": "tool", "tool_call_id": "call_1", "content": result})
        body = {"model": "gpt-test", "messages": messages}
        if question.get("tools"):
            body["tools"] = [{"type": "function", "function": self.tool}]
        completions = self.client.chat.completions
        usage = {"include_usage": True}
        if manner == "document":
            return self.read(completions.create(**body))
        if manner == "stream":
            chunks = []
            for chunk in completions.create(**body, stream=True, stream_options=usage):
                chunks.append(chunk)
                for choice in chunk.choices:
                    if choice.index == 0:
                        listener.text += choice.delta.content or ""
            return self.read_chunks(chunks)
        with completions.stream(**body, stream_options=usage) as stream:
            for event in stream:
                if event.type == "content.delta":
                    listener.text += event.delta
                if event.type == "refusal.delta":
                    listener.refusal += event.delta
            return self.read(stream.get_final_completion())

    def read(self, completion):
        choice = completion.choices[0]
        usage = completion.usage
        said = {
            "text": choice.message.content or "",
            "refusal": choice.message.refusal or "",
            "finish": choice.finish_reason,
            "calls": [
                {"name": call.function.name, "arguments": parsed(call.function.arguments)}
                for call in choice.message.tool_calls or []
            ],
        }
        if usage:
            said["usage"] = {"input": usage.prompt_tokens, "output": usage.completion_tokens}
        return said

    def read_chunks(self, chunks):
        said = {"text": "", "refusal": "", "finish": "", "calls": []}
        calls = {}
        for chunk in chunks:
            for choice in chunk.choices:
                if choice.index > 0:
                    continue
                said["text"] += choice.delta.content or ""
                said["refusal"] += choice.delta.refusal or ""
                said["finish"] = choice.finish_reason or said["finish"]
                for call in choice.delta.tool_calls or []:
                    one = calls.setdefault(call.index, {"name": "", "text": ""})
                    one["name"] += call.function.name or ""
                    one["text"] += call.function.arguments or ""
        for index in sorted(calls):
            call = calls[index]
            said["calls"].append({"name": call["name"], "arguments": parsed(call["text"])})
        usage = chunks[-1].usage if chunks else None
        if usage:
            said["usage"] = {"input": usage.prompt_tokens, "output": usage.completion_tokens}
        return said


class OpenAIResponses:
    def __init__(self, origin, tool):
        self.client = openai.OpenAI(base_url=f"{origin}/v1", api_key="none")
        self.tool = tool

    def ask(self, manner, question, listener):
        asked = [{"role": "user", "content": question["prompt"]}]
        if "toolResult" in question:
            call = {"type": "function_call", "call_id": "call_1", "arguments": "{}"}
            asked.append({**call, "name": self.tool["name"]})
            result = {"type": "function_call_output", "call_id": "call_1"}
            asked.append({**result, "output": question["toolResult"]})
        body = {"model": "gpt-test", "input": asked}
        if question.get("tools"):
            body["tools"] = [{"type": "function", "strict": False, **self.tool}]
        responses = self.client.responses
        if manner == "document":
            return self.read(responses.create(**body))
        if manner == "stream":
            calls = []
            refusal = ""
            last = None
            for event in responses.create(**body, stream=True):
                if event.type == "response.output_text.delta":
                    listener.text += event.delta
                if event.type == "response.refusal.delta":
                    refusal += event.delta
                if event.type == "response.output_item.done" and event.item.type == "function_call":
                    arguments = parsed(event.item.arguments)
                    calls.append({"name": event.item.name, "arguments": arguments})
                if event.type in ("response.completed", "response.incomplete"):
                    last = event.response
            if last is None:
                raise ValueError("the stream had no last event")
            return {**self.read(last), "text": listener.text, "refusal": refusal, "calls": calls}
        with responses.stream(**body) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    listener.text += event.delta
                if event.type == "response.refusal.delta":
                    listener.refusal += event.delta
            return self.read(stream.get_final_response())

    def read(self, response):
        parts = [part for item in response.output if item.type == "message" for part in item.content]
        details = response.incomplete_details
        said = {
            "text": response.output_text,
            "refusal": "".join(part.refusal for part in parts if part.type == "refusal"),
            "finish": (details.reason if details else None) or response.status,
            "calls": [
                {"name": item.name, "arguments": parsed(item.arguments)}
                for item in response.output
                if item.type == "function_call"
            ],
        }
        if response.usage:
            usage = response.usage
            said["usage"] = {"input": usage.input_tokens, "output": usage.output_tokens}
        return said


class AnthropicMessages:
    def __init__(self, origin, tool):
        self.client = anthropic.Anthropic(base_url=origin, api_key="none")
        self.tool = tool

    def ask(self, manner, question, listener):
        messages = [{"role": "user", "content": question["prompt"]}]
        if "toolResult" in question:
            call = {"type": "tool_use", "id": "toolu_1", "name": self.tool["name"], "input": {}}
            result = {"type": "tool_result", "tool_use_id": "toolu_1"}
            messages.append({"role": "assistant", "content": [call]})
            content = [{**result, "content": question["toolResult"]}]
            messages.append({"role": "user", "content": content})
        body = {"model": "claude-test", "max_tokens": 500, "messages": messages}
        if question.get("tools"):
            tool = {"name": self.tool["name"], "description": self.tool["description"]}
            body["tools"] = [{**tool, "input_schema": self.tool["parameters"]}]
        if manner == "document":
            return self.read(self.client.messages.create(**body))
        if manner == "stream":
            return self.read_events(self.client.messages.create(**body, stream=True), listener)
        with self.client.messages.stream(**body) as stream:
            for text in stream.text_stream:
                listener.text += text
            return self.read(stream.get_final_message())

    def read_events(self, events, listener):
        said = {"finish": "", "refusal": "", "calls": [], "usage": {"input": 0, "output": 0}}
        blocks = {}
        over = False
        for event in events:
            if event.type == "message_start":
                said["usage"]["input"] = event.message.usage.input_tokens
            elif event.type == "content_block_start":
                name = getattr(event.content_block, "name", None)
                blocks[event.index] = {"name": name, "json": "", "stopped": False}
            elif event.type == "content_block_delta":
                if event.delta.type == "text_delta":
                    listener.text += event.delta.text
                if event.delta.type == "input_json_delta":
                    blocks[event.index]["json"] += event.delta.partial_json
            elif event.type == "content_block_stop":
                blocks[event.index]["stopped"] = True
            elif event.type == "message_delta":
                said["finish"] = event.delta.stop_reason or ""
                said["refusal"] = explanation(event.delta)
                said["usage"]["output"] = event.usage.output_tokens
            elif event.type == "message_stop":
                over = True
        if not over or not all(block["stopped"] for block in blocks.values()):
            raise ValueError("the stream did not end")
        for block in blocks.values():
            if block["name"]:
                said["calls"].append({"name": block["name"], "arguments": parsed(block["json"])})
        return {**said, "text": listener.text}

    def read(self, message):
        return {
            "text": "".join(block.text for block in message.content if block.type == "text"),
            "refusal": explanation(message),
            "finish": message.stop_reason or "",
            "calls": [
                {"name": block.name, "arguments": block.input}
                for block in message.content
                if block.type == "tool_use"
            ],
            "usage": {"input": message.usage.input_tokens, "output": message.usage.output_tokens},
        }


def explanation(ended):
    details = getattr(ended, "stop_details", None)
    return getattr(details, "explanation", None) or ""


class GoogleGenAI:
    def __init__(self, origin, tool):
        # aimock serves `v1beta` alone; the default of this client is `v1`.
        options = types.HttpOptions(base_url=origin, api_version="v1beta")
        self.client = genai.Client(api_key="none", http_options=options)
        self.tool = tool

    def ask(self, manner, question, listener):
        contents = [types.UserContent(question["prompt"])]
        if "toolResult" in question:
            name = self.tool["name"]
            call = types.Part.from_function_call(name=name, args={})
            response = {"result": question["toolResult"]}
            result = types.Part.from_function_response(name=name, response=response)
            contents += [types.ModelContent([call]), types.UserContent([result])]
        config = types.GenerateContentConfig()
        if question.get("tools"):
            declaration = types.FunctionDeclaration(
                name=self.tool["name"],
                description=self.tool["description"],
                parameters_json_schema=self.tool["parameters"],
            )
            config.tools = [types.Tool(function_declarations=[declaration])]
        body = {"model": "gemini-test", "contents": contents, "config": config}
        if manner == "document":
            chunks = [self.client.models.generate_content(**body)]
        else:
            chunks = []
            for chunk in self.client.models.generate_content_stream(**body):
                chunks.append(chunk)
                listener.text += text_of(chunk)
        return self.read(chunks)

    def read(self, chunks):
        last = chunks[-1]
        candidate = last.candidates[0] if last.candidates else None
        feedback = last.prompt_feedback
        finish = candidate.finish_reason if candidate else None
        blocked = feedback.block_reason if feedback else None
        said = {
            "text": "".join(text_of(chunk) for chunk in chunks),
            "refusal": (candidate.finish_message if candidate else None)
            or (feedback.block_reason_message if feedback else None)
            or "",
            "finish": (finish or blocked).value if finish or blocked else "",
            "calls": [
                {"name": call.name, "arguments": call.args}
                for chunk in chunks
                for call in chunk.function_calls or []
            ],
        }
        if last.usage_metadata:
            usage = last.usage_metadata
            said["usage"] = {
                "input": usage.prompt_token_count or 0,
                "output": usage.candidates_token_count or 0,
            }
        return said


def text_of(chunk):
    parts = [
        part
        for candidate in chunk.candidates or []
        if candidate.content
        for part in candidate.content.parts or []
    ]
    return "".join(part.text or "" for part in parts)


CLIENTS = {
    "chat": OpenAIChat,
    "responses": OpenAIResponses,
    "messages": AnthropicMessages,
    "gemini": GoogleGenAI,
}


def main():
    tool = json.loads(sys.argv[1])
    known = {}
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        key = (asked["origin"], asked["api"])
        if key not in known:
            known[key] = CLIENTS[asked["api"]](asked["origin"], tool)
        listener = Listener()
        try:
            said = known[key].ask(asked["manner"], asked["question"], listener)
        except Exception as error:  # whatever it is, it is what the user would see
            said = thrown(error, listener)
        print(json.dumps({"id": asked["id"], "said": said}), flush=True)


main()
