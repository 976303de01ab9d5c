/** APIs that take texts and answer with numbers about them: embeddings and moderations. */
import { Buffer } from 'node:buffer';
import { ApiNames } from './api-names.ts';
import { errorResponse } from './chat-refusal.ts';
import type { AppendForm, BodyReader, Format, Refusal } from './frame.ts';
import type { Opened } from './frame-reading.ts';
import type { JsonNode, JsonObject } from './json.ts';
import { JsonDocumentReader } from './json-document.ts';
import { jsonFrame } from './json-frame.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import { BARE_BASE64_UNITS_MIN } from './media.ts';
import { opaque } from './opaque.ts';
import type { Pace } from './pace.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';
import { type RequestForm, RequestReader, requestFacts } from './request-body.ts';

const NAMES = new ApiNames('input model data embedding type text image_url url object index');

const INPUTS_REQUEST: RequestForm = {
  names: NAMES,
  expects: ['input'],
  inOrder: true,
  collect: inputAt('input'),
  facts: requestFacts,
};

/** The format with limits of its own. */
export function openaiInputsWith(limits: FormatLimits): Format {
  return Object.freeze({
    name: 'openai.inputs' as const,
    messages: 'none' as const,
    reader(direction: 'request' | 'response', streamed: boolean): BodyReader {
      if (direction === 'request') return new RequestReader(limits, INPUTS_REQUEST);
      return streamed ? opaque.reader(direction, streamed) : new NumbersReader(limits);
    },
    refusalResponse: (refusal: Refusal, status: number) => errorResponse(refusal, status),
  });
}

export const openaiInputs: Format = openaiInputsWith(DEFAULT_FORMAT_LIMITS);

/** Reads a request whose words stand under one name: `input`, `prompt`. */
export function inputAt(name: string): RequestForm['collect'] {
  return (root, collector) =>
    collector.each(root.members, (member) => {
      const { key, value } = member;
      if (key === name) readInput(value, name, collector);
      else if (key === 'model') collector.metadata(value, 'other', 'user');
      else {
        collector.name(member, 'other', 'user');
        collector.standAlone(value, 'other', 'user');
      }
    });
}

/** One text or many. As numbers of tokens nobody here can read them: such a request cannot be judged. */
function readInput(node: JsonNode, text: string, collector: PieceCollector): void {
  if (node.kind === 'string') collector.add(node, `${text}/content`, 'user', true);
  else if (node.kind === 'array')
    collector.each(node.items, (item, index) => {
      if (item.kind === 'array' || item.kind === 'number') collector.unreadable ??= 'token_ids';
      else readInput(item, `${text}/${index}`, collector);
    });
  else if (node.kind === 'object') {
    collector.each(node.members, ({ key, value }) => {
      if (key === 'image_url') readPicture(value, text, collector);
      else if (key === 'type') collector.metadata(value, text, 'user');
      else collector.standAlone(value, text, 'user');
    });
  } else collector.standAlone(node, text, 'user');
}

function readPicture(node: JsonNode, text: string, collector: PieceCollector): void {
  if (node.kind === 'string') collector.media(node, text, 'user', 'image/', BARE_BASE64_UNITS_MIN);
  else if (node.kind === 'object')
    collector.each(node.members, ({ value }) => readPicture(value, text, collector));
  else collector.standAlone(node, text, 'user');
}

/** An answer: numbers, also in base64, and words here and there. */
class NumbersReader extends JsonDocumentReader {
  constructor(limits: FormatLimits) {
    super(limits, NAMES);
  }

  protected read(root: JsonObject, bytes: Uint8Array, pace: Pace | undefined): Opened {
    const collector = new PieceCollector(bytes, new KeyCounter(), pace);
    readNumbers(root, collector);
    const frame = () => {
      const { pieces, literals } = collector;
      return jsonFrame({ raw: bytes, data: bytes, pieces, literals, ends: [] });
    };
    return { collector, frame };
  }

  refuse(refusal: Refusal): readonly Uint8Array[] {
    return this.begun ? [] : [Buffer.from(errorResponse(refusal, 200).body, 'utf8')];
  }

  append(): AppendForm {
    return { kind: 'impossible' };
  }
}

function readNumbers(node: JsonNode, collector: PieceCollector): void {
  if (node.kind === 'array') collector.each(node.items, (item) => readNumbers(item, collector));
  else if (node.kind === 'object')
    collector.each(node.members, (member) => {
      const { key, value } = member;
      const embedded = key === 'embedding' && value.kind === 'string' && collector.isBytes(value);
      if (key !== 'embedding') collector.name(member, 'other', 'assistant');
      if (!embedded) readNumbers(value, collector);
    });
  else if (node.kind === 'string') collector.metadata(node, 'other', 'assistant');
}
