/** What to do about a body that could not be read. */
import { Buffer } from 'node:buffer';
import { readJson } from '../../formats/json.ts';
import { DEFAULT_FORMAT_LIMITS } from '../../formats/limits.ts';
import { LineCount } from './place.ts';

const ADVICE: Readonly<Record<string, string>> = {
  not_json: 'the body is not JSON; is it cut short, or is --format another one?',
  json_too_deep: 'it is nested deeper than is read; a server refuses it, too',
  json_too_many_nodes: 'it has more values than are read; a server refuses it, too',
  not_an_object: 'the JSON is no object; is --format another one?',
  not_a_chat_completion: 'it is JSON, but no chat completion; is --format another one?',
  not_a_message: 'it is JSON, but no message of this API; is --format another one?',
  not_a_response: 'it is JSON, but no response of this API; is --format another one?',
  not_an_event: 'it is JSON, but no event of this API; is --format another one?',
  not_json_rpc: 'it is JSON, but no JSON-RPC message; is --format another one?',
  ambiguous_message: 'readers would differ in what it says; a server refuses it, too',
  json_as_text: 'it is JSON under the name of a text; say --format or --content-type',
  text_after_end: 'text follows the end of the stream; is the input two answers in one?',
  frame_too_large: 'one event is longer than is read; a server refuses it, too',
  body_too_large: 'it is longer than is read; a server refuses it, too',
  opaque_body: 'nobody here reads this format; say --format, --path or --content-type',
  unknown_encoding: 'this content-encoding is not decoded; decode the input first',
  too_many_encodings: 'it is encoded more than twice; decode the input first',
  broken_encoding: 'it does not decode; is --content-encoding right, is it cut short?',
  decoded_too_large: 'decoded it is larger than is read; a server refuses it, too',
  headers_contradict: 'its headers say something else than its body; a server refuses it, too',
  model_in_doubt: 'rules ask for the model, and it names none that is certain; is it cut short?',
};

export function adviceFor(reason: string): string {
  return ADVICE[reason] ?? 'it cannot be read; is --format another one?';
}

/** Where a JSON text stops being one, in words; undefined where it does not. */
export function whereJsonBreaks(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes).toString('utf8').trimEnd();
  const reading = readJson(Buffer.from(text, 'utf8'), DEFAULT_FORMAT_LIMITS);
  if (reading.ok || reading.reason !== 'not_json') return undefined;
  if (endsTooEarly(text)) return `the JSON ends unfinished after ${bytes.length} bytes`;
  const lines = new LineCount();
  lines.take(bytes, reading.at);
  return `the JSON breaks at ${lines.line}:${lines.column + 1}`;
}

/** A text that only lacks its end is JSON with some end or other: what its own parser says. */
function endsTooEarly(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return error instanceof SyntaxError && /unexpected end|unterminated/i.test(error.message);
  }
}
