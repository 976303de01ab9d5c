/**
 * Whose words stand where in the wire formats, by the documentation of each API: the oracle's own reading,
 * as far as the documents that the laws make up go.
 */
import {
  elementFrames,
  eventData,
  eventFrames,
  type Frames,
  jsonNodes,
  lineFrames,
  member,
  type Node,
  numberOf,
  oneFrame,
  stringOf,
  unitPlaces,
  utf8Of,
} from './wire.ts';

/** A stretch of a text in one frame. */
export interface Slot {
  /** Texts of several frames have the same name in each; '' for a text that begins and ends here. */
  readonly text: string;
  readonly value: string;
  /** Byte of each unit in the frame, and of the end. */
  readonly places: readonly number[];
  readonly encoding: 'plain' | 'json';
  /** JSON as it is written, not a string. */
  readonly written?: true;
  /** No JSON around it: a line of an event, a plain text. */
  readonly bare?: 'event' | 'text';
  readonly last: boolean;
  readonly sealed?: true;
}

export interface Swap {
  /** Slots of the frame any of which must have changed. */
  readonly slots: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly json: string;
}

export interface FrameReading {
  readonly slots: readonly Slot[];
  /** Texts that end with this frame, by the beginning of their names. */
  readonly ends: readonly string[];
  /** Names of texts that are over before anything of this frame is read. */
  readonly over?: readonly string[];
  /** All texts end. */
  readonly terminal?: true;
  readonly swaps?: readonly Swap[];
}

/** What the oracle knows of a format. */
export interface WireReader {
  frames(source: string): Frames;
  /** Words behind the text `text` in which a refusal is told, where there is no other way. */
  refusal?(message: string): string;
  frame(raw: string, first: boolean): FrameReading;
}

const NOTHING: FrameReading = { slots: [], ends: [] };

/** Gathers the slots of one JSON value; `place` says where a byte of it stands in the frame. */
class Collecting {
  readonly slots: Slot[] = [];
  readonly ends: string[] = [];
  readonly over: string[] = [];
  readonly swaps: Swap[] = [];
  terminal = false;
  readonly source: string;
  readonly #place: (at: number) => number;

  constructor(source: string, place: (at: number) => number) {
    this.source = source;
    this.#place = place;
  }

  /** A string that is, or goes on with, the text `text`. */
  string(node: Node | undefined, text: string, more: Partial<Slot> = {}): number | undefined {
    if (node?.kind !== 'string') return undefined;
    const places = unitPlaces(this.source, node.from + 1, node.to - 1, true).map(this.#place);
    this.slots.push({
      text,
      value: node.value,
      places,
      encoding: 'plain',
      last: text === '',
      ...more,
    });
    return this.slots.length - 1;
  }

  /** A value read as it is written. */
  written(node: Node | undefined): void {
    if (node === undefined) return;
    const inside = unitPlaces(this.source, node.from, node.to, false).slice(0, -1);
    const places = [...inside.map(this.#place), this.#place(node.to - 1) + 1];
    const value = utf8Of(this.source.slice(node.from, node.to));
    this.slots.push({ text: '', value, places, encoding: 'json', written: true, last: true });
  }

  /** Every string below, each for itself. */
  strings(node: Node | undefined): void {
    if (node?.kind === 'string') this.string(node, '');
    else if (node?.kind === 'array') for (const item of node.items) this.strings(item);
    else if (node?.kind === 'object') for (const { value } of node.members) this.strings(value);
  }

  swap(slots: readonly number[], node: Node | undefined, json: string): void {
    if (node === undefined || (node.kind === 'scalar' && node.value === null && json === 'null'))
      return;
    this.swaps.push({
      slots,
      from: this.#place(node.from),
      to: this.#place(node.to - 1) + 1,
      json,
    });
  }

  /** The last stretch of each text among `slots` ends it. */
  markLast(slots: readonly number[]): void {
    const seen = new Set<string>();
    for (const index of [...slots].reverse()) {
      const slot = this.slots[index]!;
      if (!seen.has(slot.text)) this.slots[index] = { ...slot, last: true };
      seen.add(slot.text);
    }
  }

  get reading(): FrameReading {
    const { slots, ends, over, swaps } = this;
    return { slots, ends, over, swaps, ...(this.terminal ? { terminal: true as const } : {}) };
  }
}

type ReadJson = (root: Node, to: Collecting) => void;

/** An event stream whose data is JSON. `bare`: data that is none is a text of its own. */
function events(read: ReadJson, done: string | undefined, bare = false): WireReader {
  return {
    frames: eventFrames,
    frame(raw, first) {
      const data = eventData(raw, first);
      if (data === undefined || data.text === '') return NOTHING;
      const place = (at: number): number =>
        at < data.places.length ? data.places[at]! : data.places.at(-1)! + 1;
      if (data.text === done) return { ...NOTHING, terminal: true };
      const to = new Collecting(data.text, place);
      let root: Node | undefined;
      try {
        root = jsonNodes(data.text);
      } catch (error) {
        if (!bare) throw error;
      }
      if (root === undefined || (bare && root.kind === 'scalar')) {
        const value = utf8Of(data.text);
        const places = unitPlaces(data.text, 0, data.text.length, false).map(place);
        return {
          slots: [{ text: 'data', value, places, encoding: 'plain', bare: 'event', last: false }],
          ends: [],
        };
      }
      if (bare && root.kind === 'string') to.string(root, 'data');
      else read(root, to);
      return to.reading;
    },
  };
}

function document(read: ReadJson): WireReader {
  return {
    frames: oneFrame,
    frame(raw) {
      const to = new Collecting(raw, (at) => at);
      read(jsonNodes(raw), to);
      to.slots.forEach((slot, index) => {
        if (!slot.last)
          to.slots[index] = {
            ...slot,
            last: !to.slots.slice(index + 1).some((later) => later.text === slot.text),
          };
      });
      return to.reading;
    },
  };
}

const items = (node: Node | undefined): readonly Node[] =>
  node?.kind === 'array' ? node.items : [];

/** The members of an object by what is done with each; doubles that readers do not see are texts of their own. */
function each(
  node: Node | undefined,
  to: Collecting,
  read: (name: string, value: Node) => void,
): void {
  if (node?.kind !== 'object') return;
  for (const { name, value, shadowed } of node.members)
    if (shadowed) to.strings(value);
    else read(name, value);
}

/** A member of no API, which the laws use to have text in odd places. */
const ODD = 'description';

function chatAnswer(field: 'delta' | 'message'): ReadJson {
  return (root, to) =>
    each(root, to, (name, value) => {
      if (name === ODD) to.strings(value);
      if (name !== 'choices') return;
      items(value).forEach((choice, position) => {
        const index = numberOf(member(choice, 'index')) ?? position;
        const own: number[] = [];
        const called = new Set<string>();
        const text = (node: Node, key: string, more: Partial<Slot> = {}): void => {
          const slot = to.string(node, `choice/${index}/${key}`, more);
          if (slot !== undefined) own.push(slot);
        };
        each(choice, to, (part, inside) => {
          if (part !== field) return;
          each(inside, to, (key, content) => {
            if (key === 'tool_calls')
              items(content).forEach((call, at) => {
                const number = numberOf(member(call, 'index')) ?? at;
                each(member(call, 'function'), to, (callField, written) => {
                  const json = callField === 'arguments' ? ({ encoding: 'json' } as const) : {};
                  // The name is over where that begins which the tool is called with.
                  if (callField === 'arguments' && stringOf(written) !== '')
                    called.add(`choice/${index}/tool/${number}/name`);
                  text(written, `tool/${number}/${callField}`, json);
                });
              });
            else if (key !== 'role') text(content, key);
          });
        });
        // One that stands in this very frame is over where it ends.
        for (const name of called) {
          const slot = to.slots.findLastIndex((one) => one.text === name);
          if (slot === -1) to.over.push(name);
          else to.markLast([slot]);
        }
        const reason = stringOf(member(choice, 'finish_reason')) ?? '';
        if (reason !== '') {
          to.ends.push(`choice/${index}/`);
          to.markLast(own);
        }
        to.swap(own, member(choice, 'logprobs'), 'null');
      });
    });
}

const messageEvent: ReadJson = (root, to) => {
  const index = numberOf(member(root, 'index'));
  const key = `block/${index}`;
  switch (stringOf(member(root, 'type'))) {
    case 'content_block_start': {
      const block = member(root, 'content_block');
      to.string(member(block, 'name'), '');
      to.string(member(block, 'text'), `${key}/content`);
      to.string(member(block, 'thinking'), `${key}/thinking`, { sealed: true });
      return;
    }
    case 'content_block_delta': {
      const delta = member(root, 'delta');
      each(delta, to, (name, value) => {
        if (name === 'text') to.string(value, `${key}/content`);
        if (name === 'thinking') to.string(value, `${key}/thinking`, { sealed: true });
        if (name === 'partial_json') to.string(value, `${key}/input`, { encoding: 'json' });
      });
      return;
    }
    case 'content_block_stop':
      to.ends.push(`${key}/`);
      return;
    case 'message_delta':
      to.ends.push('block/');
      return;
    case 'message_stop':
      to.terminal = true;
      return;
    default:
      to.strings(member(root, ODD));
  }
};

const message: ReadJson = (root, to) => {
  for (const block of items(member(root, 'content'))) {
    each(block, to, (name, value) => {
      if (name === 'text' || name === 'name') to.string(value, '');
      if (name === 'thinking') to.string(value, '', { sealed: true });
      if (name === 'input' && value.kind === 'object' && value.members.length > 0)
        to.written(value);
    });
  }
};

/** Items of a response, whole. */
function responseItems(output: Node | undefined, to: Collecting): void {
  for (const item of items(output)) {
    to.string(member(item, 'name'), '');
    to.string(member(item, 'arguments'), '', { encoding: 'json' });
    for (const part of items(member(item, 'content'))) responsePart(part, to);
  }
}

function responsePart(part: Node | undefined, to: Collecting): void {
  const slot = to.string(member(part, 'text'), '');
  if (slot !== undefined) to.swap([slot], member(part, 'logprobs'), '[]');
}

const responseEvent: ReadJson = (root, to) => {
  readResponseEvent(root, to);
  to.strings(member(root, ODD));
  // Token by token, an event in which something has changed is told no more.
  to.swap(
    to.slots.map((_, slot) => slot),
    member(root, 'logprobs'),
    '[]',
  );
};

const readResponseEvent: ReadJson = (root, to) => {
  const item = `output/${numberOf(member(root, 'output_index'))}/`;
  const part = `${item}part/${numberOf(member(root, 'content_index'))}/`;
  switch (stringOf(member(root, 'type'))) {
    case 'response.output_item.added':
      to.string(member(member(root, 'item'), 'name'), '');
      to.string(member(member(root, 'item'), 'arguments'), `${item}arguments`, {
        encoding: 'json',
      });
      return;
    case 'response.content_part.added':
      to.string(member(member(root, 'part'), 'text'), `${part}content`);
      return;
    case 'response.output_text.delta':
      to.string(member(root, 'delta'), `${part}content`);
      return;
    case 'response.output_text.done':
      to.string(member(root, 'text'), '');
      to.ends.push(`${part}content`);
      return;
    case 'response.function_call_arguments.delta':
      to.string(member(root, 'delta'), `${item}arguments`, { encoding: 'json' });
      return;
    case 'response.function_call_arguments.done':
      to.string(member(root, 'arguments'), '', { encoding: 'json' });
      to.ends.push(`${item}arguments`);
      return;
    case 'response.content_part.done':
      responsePart(member(root, 'part'), to);
      to.ends.push(part);
      return;
    case 'response.output_item.done': {
      const done = member(root, 'item');
      if (done !== undefined) responseItems({ kind: 'array', from: 0, to: 0, items: [done] }, to);
      to.ends.push(item);
      return;
    }
    case 'response.completed':
      responseItems(member(member(root, 'response'), 'output'), to);
      to.terminal = true;
      return;
    default:
  }
};

const response: ReadJson = (root, to) => responseItems(member(root, 'output'), to);

const geminiAnswer: ReadJson = (root, to) => {
  items(member(root, 'candidates')).forEach((candidate, position) => {
    const index = numberOf(member(candidate, 'index')) ?? position;
    const begun = to.slots.length;
    for (const part of items(member(member(candidate, 'content'), 'parts'))) {
      const field =
        (member(part, 'thought') as { value?: unknown } | undefined)?.value === true
          ? 'thought'
          : 'content';
      each(part, to, (name, value) => {
        if (name === 'text') to.string(value, `candidate/${index}/${field}`);
        if (name !== 'functionCall') return;
        each(value, to, (key, inside) => {
          if (key === 'name') to.string(inside, '');
          if (key === 'args') to.written(inside);
        });
      });
    }
    const own = to.slots.map((_, slot) => slot).slice(begun);
    to.swap(own, member(candidate, 'logprobsResult'), 'null');
  });
};

const toolMessages: ReadJson = (root, to) => {
  for (const one of root.kind === 'array' ? root.items : [root]) {
    each(member(one, 'result'), to, (name, value) => {
      if (name === 'structuredContent') to.written(value);
      else if (name === 'content')
        for (const block of items(value)) to.string(member(block, 'text'), '');
    });
    to.strings(member(member(one, 'params'), 'message'));
    to.strings(member(member(one, 'error'), 'message'));
  }
};

const INDEX = /(?:^|_)index$|Index$/;
const KIND = /^[\w.:/+=-]{0,128}$/;

/** Strings named by where they stand. `streamed`: the same place in a later value goes on with the text. */
function leaves(streamed: boolean): ReadJson {
  const isKind = (name: string, value: Node): boolean =>
    name === 'type' && KIND.test(stringOf(value) ?? ' ');
  const visit = (node: Node, at: string, to: Collecting): void => {
    if (node.kind === 'string') to.string(node, streamed ? `${at}$` : '');
    else if (node.kind === 'array')
      for (const [index, item] of node.items.entries()) visit(item, `${at}[${index}]`, to);
    else if (node.kind === 'object') {
      let here = at;
      // The kind of an entry names its texts, too; but no two kinds of the laws have a place in common, and a
      // rule may change it.
      for (const { name, value } of node.members)
        if (value.kind === 'scalar' && typeof value.value === 'number' && INDEX.test(name))
          here += `#${name}=${to.source.slice(value.from, value.to)}`;
      for (const { name, value } of node.members)
        if (isKind(name, value)) to.string(value, '');
        else visit(value, `${here}.${name}`, to);
    }
  };
  return (root, to) => visit(root, '', to);
}

/** Elements of an array in pieces: what stands before one belongs to it. */
const elements = (read: ReadJson): WireReader => ({
  frames: elementFrames,
  frame(raw) {
    const from = raw.indexOf('{');
    if (from === -1) return raw.includes(']') ? { ...NOTHING, terminal: true } : NOTHING;
    const to = new Collecting(raw, (at) => at);
    read(jsonNodes(raw, from), to);
    return to.reading;
  },
});

const jsonLines = (streamed: boolean): WireReader => ({
  frames: lineFrames,
  frame(raw) {
    if (raw.trim() === '') return NOTHING;
    const to = new Collecting(raw, (at) => at);
    leaves(streamed)(jsonNodes(raw), to);
    return to.reading;
  },
});

/** A plain text is whatever frames it comes in. */
const plainText: WireReader = {
  frames: oneFrame,
  refusal: (message) => `\n[${message}]\n`,
  frame(raw) {
    const value = utf8Of(raw);
    const places = unitPlaces(raw, 0, raw.length, false);
    return {
      slots: [{ text: 'text', value, places, encoding: 'plain', bare: 'text', last: false }],
      ends: [],
    };
  },
};

const chatRequest: ReadJson = (root, to) => {
  for (const turn of items(member(root, 'messages')))
    each(turn, to, (name, value) => {
      if (name === 'tool_calls')
        for (const call of items(value)) {
          to.string(member(member(call, 'function'), 'name'), '');
          to.string(member(member(call, 'function'), 'arguments'), '', { encoding: 'json' });
        }
      if (name !== 'content') return;
      if (value.kind === 'string') to.string(value, '');
      for (const part of items(value)) to.string(member(part, 'text'), '');
    });
};

const responsesRequest: ReadJson = (root, to) =>
  each(root, to, (name, value) => {
    if (name === 'instructions') to.string(value, '');
    if (name !== 'input') return;
    if (value.kind === 'string') to.string(value, '');
    for (const turn of items(value)) {
      const content = member(turn, 'content');
      if (content?.kind === 'string') to.string(content, '');
      for (const part of items(content)) to.string(member(part, 'text'), '');
    }
  });

const messagesRequest: ReadJson = (root, to) =>
  each(root, to, (name, value) => {
    if (name === 'system') to.string(value, '');
    if (name !== 'messages') return;
    for (const turn of items(value)) {
      const content = member(turn, 'content');
      if (content?.kind === 'string') to.string(content, '');
      for (const block of items(content)) {
        to.string(member(block, 'text'), '');
        to.string(member(block, 'name'), '');
        const input = member(block, 'input');
        if (input?.kind === 'object' && input.members.length > 0) to.written(input);
      }
    }
  });

const geminiRequest: ReadJson = (root, to) =>
  each(root, to, (name, value) => {
    if (name === 'systemInstruction')
      for (const part of items(member(value, 'parts'))) to.string(member(part, 'text'), '');
    if (name !== 'contents') return;
    for (const turn of items(value))
      for (const part of items(member(turn, 'parts'))) {
        to.string(member(part, 'text'), '');
        const result = member(part, 'functionResponse');
        to.string(member(result, 'name'), '');
        to.written(member(result, 'response'));
      }
  });

const toolRequest: ReadJson = (root, to) => {
  const params = member(root, 'params');
  to.string(member(params, 'name'), '');
  to.written(member(params, 'arguments'));
};

export const STREAMS = {
  'openai.chat': events(chatAnswer('delta'), '[DONE]'),
  'openai.responses': events(responseEvent, undefined),
  'anthropic.messages': events(messageEvent, undefined),
  'gemini.events': events(geminiAnswer, undefined),
  'gemini.array': elements(geminiAnswer),
  mcp: events(toolMessages, undefined),
  sse: events(leaves(true), undefined, true),
  ndjson: jsonLines(true),
  text: plainText,
} as const satisfies Record<string, WireReader>;

export const DOCUMENTS = {
  'openai.chat': document(chatAnswer('message')),
  'openai.responses': document(response),
  'anthropic.messages': document(message),
  gemini: document(geminiAnswer),
  mcp: document(toolMessages),
  json: document(leaves(false)),
} as const satisfies Record<string, WireReader>;

export const REQUESTS = {
  'openai.chat': document(chatRequest),
  'openai.responses': document(responsesRequest),
  'anthropic.messages': document(messagesRequest),
  gemini: document(geminiRequest),
  mcp: document(toolRequest),
  json: document(leaves(false)),
  ndjson: jsonLines(false),
  text: {
    ...plainText,
    frame: (raw: string) => ({
      ...plainText.frame(raw, true),
      slots: plainText.frame(raw, true).slots.map((slot) => ({ ...slot, last: true })),
    }),
  },
} as const satisfies Record<string, WireReader>;
