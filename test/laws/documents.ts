/** Bodies of every format, made up from texts: in every order, style and spelling that the formats allow. */
import { isHigh, isLow } from './characters.ts';

/** Numbers from a seed: how a document is spelled need not shrink. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to `count` − 1. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
}

/** Bytes that are no UTF-8, for the characters from U+E000 on that stand for them. */
const ILL_FORMED: readonly (readonly number[])[] = [
  [0x80],
  [0xff],
  [0xe2, 0x82],
  [0xf0, 0x9f, 0x98],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2],
];
export const ILL_FORMED_STAND_INS: readonly string[] = ILL_FORMED.map((_, at) =>
  String.fromCharCode(0xe000 + at),
);

/** A body as bytes, some of which are no character. */
export function bytesWith(written: string): Buffer {
  const parts = written.split(/([\ue000-\ue007])/u).map((part) => {
    const at = ILL_FORMED_STAND_INS.indexOf(part);
    return at === -1 ? Buffer.from(part) : Buffer.from(ILL_FORMED[at]!);
  });
  return Buffer.concat(parts);
}

/** How the bodies of one case are written. */
export interface Style {
  readonly dice: Dice;
  /** All of the body is ASCII. */
  readonly ascii: boolean;
  readonly lineEnd: '\n' | '\r\n' | '\r';
  readonly spaced: boolean;
}

export function styleOf(seed: number): Style {
  const dice = new Dice(seed);
  return {
    dice,
    ascii: dice.once(3),
    lineEnd: dice.pick(['\n', '\n', '\n', '\r\n', '\r\n', '\r'] as const),
    spaced: dice.once(3),
  };
}

/** JSON with what JSON.stringify has no words for: doubles of members, odd numbers. */
export type Json = string | boolean | null | number | Odd | readonly Json[] | Members;
export class Odd {
  readonly written: string;
  constructor(written: string) {
    this.written = written;
  }
}
export class Members {
  readonly list: readonly (readonly [string, Json])[];
  constructor(list: readonly (readonly [string, Json] | undefined)[]) {
    this.list = list.filter((one) => one !== undefined);
  }
}
export const members = (...list: readonly (readonly [string, Json] | undefined)[]): Members =>
  new Members(list);

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function hexEscape(unit: string, dice: Dice): string {
  const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
  return `\\u${dice.once(2) ? hex.toUpperCase() : hex}`;
}

/** The inside of a JSON string: some characters escaped that need not be, in any of the ways there are. */
export function spelled(text: string, { dice, ascii }: Style): string {
  let written = '';
  for (let at = 0; at < text.length; at++) {
    const unit = text[at]!;
    const pair = isHigh(unit) && isLow(text[at + 1]);
    const half = (isHigh(unit) || isLow(unit)) && !pair;
    // What is told twice must be the same bytes twice.
    const standIn = ILL_FORMED_STAND_INS.includes(unit);
    const needed = unit < ' ' || unit === '"' || unit === '\\' || half || (ascii && unit > '~');
    if (standIn || (!needed && !dice.once(12) && !(unit === '/' && dice.once(3)))) {
      written += unit;
      if (pair) written += text[++at]!;
    } else if (SHORT[unit] !== undefined && !dice.once(4)) written += SHORT[unit];
    else {
      written += hexEscape(unit, dice);
      if (pair) written += hexEscape(text[++at]!, dice);
    }
  }
  return written;
}

/** Members that name something: told from words that somebody wrote by how plain they are. */
const NAMING: ReadonlySet<string> = new Set(
  'id object type role finish_reason finishReason stop_reason status model modelVersion method jsonrpc item_id token signature'.split(
    ' ',
  ),
);

/** `lines`: white space between the members of the outermost object may be a line end. */
export function writeJson(value: Json, style: Style, lines = false): string {
  const { dice, spaced } = style;
  const blank = (): string => (spaced && dice.once(2) ? dice.pick([' ', '\t', '  ']) : '');
  const gap = (): string => (lines && dice.once(3) ? '\n' : blank());
  const write = (one: Json, space: () => string): string => {
    if (one instanceof Odd) return one.written;
    if (typeof one === 'string') return `"${spelled(one, style)}"`;
    if (one instanceof Members) {
      const inside = one.list.map(
        ([name, member]) =>
          `${space()}${JSON.stringify(name)}${blank()}:${blank()}${NAMING.has(name) ? JSON.stringify(member) : write(member, blank)}`,
      );
      return `{${inside.join(',')}${space()}}`;
    }
    if (Array.isArray(one))
      return `[${one.map((item: Json) => blank() + write(item, blank)).join(',')}${blank()}]`;
    return JSON.stringify(one);
  };
  return write(value, gap);
}

/** A stretch of one of the texts of a document. */
export interface Step {
  readonly text: number;
  readonly delta: string;
  readonly first: boolean;
  readonly last: boolean;
}

/** The texts of a document, cut into deltas, in some order. */
export interface Script {
  /** For each text its deltas. */
  readonly texts: readonly (readonly string[])[];
  /** Which text goes on; what is left over follows in turn. */
  readonly order: readonly number[];
}

export function stepsOf({ texts, order }: Script): readonly Step[] {
  const next = texts.map(() => 0);
  const steps: Step[] = [];
  const take = (text: number): void => {
    const deltas = texts[text]!;
    const at = next[text]!;
    next[text] = at + 1;
    steps.push({ text, delta: deltas[at]!, first: at === 0, last: at === deltas.length - 1 });
  };
  const open = (): number[] =>
    texts.flatMap((deltas, text) => (next[text]! < deltas.length ? [text] : []));
  for (const one of order) {
    const left = open();
    if (left.length > 0) take(left[one % left.length]!);
  }
  for (let left = open(); left.length > 0; left = open()) take(left[0]!);
  return steps;
}

/** `text` cut at the given places, which may be the same ones: some stretches are empty. */
export function deltasOf(text: string, cuts: readonly number[]): string[] {
  const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  return at.slice(1).map((to, index) => text.slice(at[index], to));
}

/** One event of a stream. */
function event(type: string | undefined, value: Json | string, style: Style, raw = false): string {
  const { dice } = style;
  const text = raw ? (value as string) : writeJson(value, style, dice.once(5));
  const lines: string[] = [];
  if (dice.once(9)) lines.push(': keep-alive');
  if (type !== undefined && !dice.once(6)) lines.push(`event:${dice.once(4) ? '' : ' '}${type}`);
  if (dice.once(9)) lines.push(dice.pick(['id: 7', 'id', 'retry: 10', 'id:\tx']));
  for (const line of text.split('\n'))
    lines.push(`data:${dice.once(4) && !/^ /.test(line) ? '' : ' '}${line}`);
  if (dice.once(12)) lines.push(':');
  return `${lines.join(style.lineEnd)}${style.lineEnd}${style.lineEnd}`;
}

/** The whole stream; sometimes with a mark at its beginning, and without its last blank line. */
function streamOf(events: readonly string[], style: Style): string {
  const { dice, lineEnd } = style;
  const parts: string[] = [];
  if (dice.once(8) && !style.ascii) parts.push('\ufeff');
  if (dice.once(8)) parts.push(`: hello${lineEnd}${lineEnd}`);
  for (const one of events) {
    parts.push(one);
    if (dice.once(12))
      parts.push(dice.pick([lineEnd, `:${lineEnd}${lineEnd}`, `: ping${lineEnd}${lineEnd}`]));
  }
  const whole = parts.join('');
  if (!dice.once(5)) return whole;
  return whole.replace(/(?:\r\n|\r|\n)+$/, dice.once(2) ? '' : lineEnd);
}

/** A JSON text that a model writes: its strings spelled in another layer of escapes. */
export function argumentsText(text: string, seed: number): string {
  const dice = new Dice(seed);
  if (dice.once(6)) return text;
  const style: Style = { dice, ascii: dice.once(3), lineEnd: '\n', spaced: dice.once(2) };
  return writeJson(members(['q', text], ['n', new Odd(dice.pick(ODD_NUMBERS))]), style);
}

const ODD_NUMBERS = ['0', '-0', '1E2', '0.10', '12.5e-3', '1e+0'];

/** A name that many APIs have, but not at the places where the laws put it. */
const ODD_MEMBER = 'description';

const noted = (note: string | undefined, dice: Dice): readonly [string, Json] | undefined =>
  note !== undefined && dice.once(3) ? [ODD_MEMBER, note] : undefined;

/** What makes a stream of a format out of a script. */
export interface StreamWriter {
  /** Which texts there can be, by number: `json` for those that are JSON themselves. */
  readonly texts: readonly ('plain' | 'json' | 'sealed')[];
  /** `note`: a text for members that no API has. */
  write(script: Script, style: Style, note: string | undefined): string;
}

/** A token that is all of a text: what spells the text once more must not say anything else. */
const tokenOf = (words: string): Members =>
  members(['token', words], ['logprob', new Odd('-0.10')]);

const CHAT_TEXTS = [
  { choice: 0, field: 'content' },
  { choice: 1, field: 'content' },
  { choice: 0, field: 'tool/0' },
  { choice: 0, field: 'reasoning_content' },
  { choice: 0, field: 'tool/1' },
  { choice: 1, field: 'summary' },
] as const;

const chat: StreamWriter = {
  texts: ['plain', 'plain', 'json', 'plain', 'json', 'plain'],
  write(script, style, note) {
    const { dice } = style;
    const steps = stepsOf(script);
    const chunk = (choices: Json): Json =>
      members(
        ['id', 'chatcmpl-1'],
        ['object', 'chat.completion.chunk'],
        ['created', new Odd(dice.pick(['17', '1.7e1']))],
        noted(note, dice),
        ['choices', choices],
        dice.once(9) ? ['usage', null] : undefined,
      );
    const deltaOf = ({ text, delta, first }: Step): Members => {
      const { field } = CHAT_TEXTS[text]!;
      if (!field.startsWith('tool/'))
        return members(first && dice.once(2) ? ['role', 'assistant'] : undefined, [field, delta]);
      const call = members(
        ['index', Number(field.slice(5))],
        first ? ['id', 'call_1'] : undefined,
        ['function', members(first ? ['name', 'look_up'] : undefined, ['arguments', delta])],
      );
      return members(['tool_calls', [call]]);
    };
    const choiceOf = (step: Step, finish: boolean): Json =>
      members(
        ['index', CHAT_TEXTS[step.text]!.choice],
        ['delta', deltaOf(step)],
        CHAT_TEXTS[step.text]!.field === 'content' && dice.once(6)
          ? ['logprobs', members(['content', [tokenOf(step.delta)]])]
          : undefined,
        finish ? ['finish_reason', 'stop'] : dice.once(2) ? ['finish_reason', null] : undefined,
      );
    const events: string[] = [];
    const send = (value: Json): void => void events.push(event(undefined, value, style));
    for (let at = 0; at < steps.length; at++) {
      const step = steps[at]!;
      const { choice } = CHAT_TEXTS[step.text]!;
      const later = steps.slice(at + 1);
      const finish = !later.some((other) => CHAT_TEXTS[other.text]!.choice === choice);
      const other = steps[at + 1];
      const both = other !== undefined && CHAT_TEXTS[other.text]!.choice !== choice && dice.once(4);
      const inside = finish && dice.once(3);
      send(
        chunk(both ? [choiceOf(step, inside), choiceOf(other, false)] : [choiceOf(step, inside)]),
      );
      if (both) at++;
      if (finish && !inside && !dice.once(4))
        send(chunk([members(['index', choice], ['delta', members()], ['finish_reason', 'stop'])]));
    }
    if (dice.once(4))
      send(
        members(
          ['id', 'chatcmpl-1'],
          ['choices', []],
          ['usage', members(['total_tokens', new Odd('1E1')])],
        ),
      );
    if (!dice.once(5)) events.push(event(undefined, '[DONE]', style, true));
    return streamOf(events, style);
  },
};

const messages: StreamWriter = {
  texts: ['plain', 'json', 'sealed', 'plain'],
  write(script, style, note) {
    const { dice } = style;
    const kinds = ['text', 'tool_use', 'thinking', 'text'];
    const events: string[] = [];
    const send = (type: string, ...rest: readonly (readonly [string, Json] | undefined)[]): void =>
      void events.push(event(type, members(['type', type], ...rest), style));
    const usage = members(['input_tokens', new Odd('9')], ['output_tokens', 3]);
    const body = members(['id', 'msg_1'], ['role', 'assistant'], ['content', []], ['usage', usage]);
    send('message_start', ['message', body]);
    if (dice.once(2)) send('ping', noted(note, dice));
    for (const { text, delta, first, last } of stepsOf(script)) {
      const kind = kinds[text]!;
      if (first) {
        const start =
          kind === 'tool_use'
            ? members(['type', kind], ['id', 'toolu_1'], ['name', 'look_up'], ['input', members()])
            : members(['type', kind], [kind, '']);
        send('content_block_start', ['index', text], ['content_block', start]);
      }
      const [type, field] =
        kind === 'tool_use'
          ? ['input_json_delta', 'partial_json']
          : kind === 'thinking'
            ? ['thinking_delta', 'thinking']
            : ['text_delta', 'text'];
      send(
        'content_block_delta',
        ['index', text],
        ['delta', members(['type', type!], [field!, delta])],
      );
      if (last && kind === 'thinking')
        send(
          'content_block_delta',
          ['index', text],
          ['delta', members(['type', 'signature_delta'], ['signature', 'QUJD'])],
        );
      if (last && !dice.once(6)) send('content_block_stop', ['index', text]);
    }
    send(
      'message_delta',
      ['delta', members(['stop_reason', 'end_turn'])],
      ['usage', members(['output_tokens', 12])],
    );
    if (!dice.once(5)) send('message_stop');
    return streamOf(events, style);
  },
};

const responses: StreamWriter = {
  texts: ['plain', 'json', 'plain', 'json'],
  write(script, style, note) {
    const { dice } = style;
    const events: string[] = [];
    let sequence = 0;
    const numbered = !dice.once(4);
    const send = (type: string, ...rest: readonly (readonly [string, Json] | undefined)[]): void =>
      void events.push(
        event(
          type,
          members(['type', type], ...rest, numbered ? ['sequence_number', sequence++] : undefined),
          style,
        ),
      );
    const said = script.texts.map((deltas) => deltas.join(''));
    const isCall = (text: number): boolean => responses.texts[text] === 'json';
    const logprobs = (words: string): readonly [string, Json] | undefined =>
      dice.once(4) ? ['logprobs', words === '' ? [] : [tokenOf(words)]] : undefined;
    const part = (words: string): Members =>
      members(['type', 'output_text'], ['text', words], ['annotations', []], logprobs(words));
    const item = (text: number, done: boolean): Members =>
      isCall(text)
        ? members(
            ['type', 'function_call'],
            ['id', `fc_${text}`],
            ['name', 'look_up'],
            ['arguments', done ? said[text]! : ''],
          )
        : members(
            ['type', 'message'],
            ['id', `msg_${text}`],
            ['role', 'assistant'],
            ['content', done ? [part(said[text]!)] : []],
          );
    send('response.created', [
      'response',
      members(['id', 'resp_1'], ['object', 'response'], ['model', 'm'], ['output', []]),
    ]);
    for (const { text, delta, first, last } of stepsOf(script)) {
      const at = [
        ['item_id', isCall(text) ? `fc_${text}` : `msg_${text}`],
        ['output_index', text],
        ...(isCall(text) ? [] : [['content_index', 0] as const]),
      ] as const;
      if (first) {
        send('response.output_item.added', ['output_index', text], ['item', item(text, false)]);
        if (!isCall(text)) send('response.content_part.added', ...at, ['part', part('')]);
      }
      if (isCall(text)) send('response.function_call_arguments.delta', ...at, ['delta', delta]);
      else
        send(
          'response.output_text.delta',
          ...at,
          ['delta', delta],
          logprobs(delta),
          noted(note, dice),
        );
      if (!last) continue;
      if (isCall(text))
        send('response.function_call_arguments.done', ...at, ['arguments', said[text]!]);
      else {
        send('response.output_text.done', ...at, ['text', said[text]!], logprobs(said[text]!));
        send('response.content_part.done', ...at, ['part', part(said[text]!)]);
      }
      send('response.output_item.done', ['output_index', text], ['item', item(text, true)]);
    }
    const output = said.map((_, text) => item(text, true));
    send('response.completed', [
      'response',
      members(
        ['id', 'resp_1'],
        ['object', 'response'],
        ['status', 'completed'],
        ['output', output],
      ),
    ]);
    return streamOf(events, style);
  },
};

const GEMINI_TEXTS = [
  { candidate: 0, thought: false },
  { candidate: 1, thought: false },
  { candidate: 0, thought: true },
] as const;

function geminiChunks(script: Script, style: Style, note: string | undefined): readonly Members[] {
  const { dice } = style;
  return stepsOf(script).map((step): Members => {
    const { candidate, thought } = GEMINI_TEXTS[step.text]!;
    const part = members(['text', step.delta], thought ? ['thought', true] : undefined);
    const call =
      note !== undefined && dice.once(6)
        ? [
            members([
              'functionCall',
              members(['name', 'look_up'], ['args', members(['q', note], ['n', new Odd('1.50')])]),
            ]),
          ]
        : [];
    return members(
      [
        'candidates',
        [
          members(
            candidate === 0 && dice.once(2) ? undefined : ['index', candidate],
            ['content', members(['role', 'model'], ['parts', [part, ...call]])],
            step.last ? ['finishReason', 'STOP'] : undefined,
            dice.once(6) && !thought
              ? ['logprobsResult', members(['chosenCandidates', [members(['token', step.delta])]])]
              : undefined,
          ),
        ],
      ],
      ['modelVersion', 'gemini-test'],
    );
  });
}

const geminiEvents: StreamWriter = {
  texts: ['plain', 'plain', 'plain'],
  write: (script, style, note) =>
    streamOf(
      geminiChunks(script, style, note).map((chunk) => event(undefined, chunk, style)),
      style,
    ),
};

const geminiArray: StreamWriter = {
  texts: ['plain', 'plain', 'plain'],
  write(script, style, note) {
    const { dice } = style;
    const between = (): string => dice.pick([',\n', ',', ' , ', '\r\n,\r\n']);
    const chunks = geminiChunks(script, style, note).map((chunk) => writeJson(chunk, style, true));
    const inside = chunks.map((chunk, at) => (at === 0 ? chunk : between() + chunk)).join('');
    return `${dice.pick(['', ' '])}[${dice.pick(['', '\n'])}${inside}${dice.pick(['', '\n'])}]${dice.pick(['', '\n'])}`;
  },
};

const tools: StreamWriter = {
  texts: ['plain', 'plain'],
  write(script, style, note) {
    const { dice } = style;
    const events = stepsOf(script).map(({ delta }) =>
      event(
        'message',
        members(
          ['jsonrpc', '2.0'],
          ['method', 'notifications/message'],
          ['params', members(['message', delta])],
        ),
        style,
      ),
    );
    const content = script.texts.map((deltas) =>
      members(['type', 'text'], ['text', deltas.join('')]),
    );
    const structured = members(['q', note ?? 'x'], ['n', new Odd('1E1')]);
    const result = members(
      ['content', content],
      dice.once(2) ? ['structuredContent', structured] : undefined,
    );
    events.push(
      event('message', members(['jsonrpc', '2.0'], ['id', 7], ['result', result]), style),
    );
    return streamOf(events, style);
  },
};

function leafEntry({ text, delta }: Step, note: string | undefined, dice: Dice): Json {
  return members(
    ['type', 'delta'],
    ['index', text],
    ['message', members(['content', delta], noted(note, dice))],
    dice.once(5) ? ['usage', new Odd(dice.pick(ODD_NUMBERS))] : undefined,
  );
}

const anyEvents: StreamWriter = {
  texts: ['plain', 'plain', 'plain', 'plain'],
  write(script, style, note) {
    // Words without JSON around them must not be JSON by accident, nor have line ends, nor be cut in halves.
    const bare = !/[\r\n{["\ud800-\udfff]/.test(script.texts[3]?.join('') ?? '');
    const events = stepsOf(script).map((step) => {
      if (step.text === 3 && bare)
        return event(undefined, step.delta, style, step.delta === '' || !style.dice.once(3));
      if (step.text === 3)
        return event(undefined, members(['type', 'other'], ['content', step.delta]), style);
      return event('delta', leafEntry(step, note, style.dice), style);
    });
    return streamOf(events, style);
  },
};

const lines: StreamWriter = {
  texts: ['plain', 'plain', 'plain'],
  write(script, style, note) {
    const { dice } = style;
    const end = style.lineEnd === '\r\n' ? '\r\n' : '\n';
    const written = stepsOf(script).map(
      (step) => writeJson(step.text === 2 ? step.delta : leafEntry(step, note, dice), style) + end,
    );
    const blanks = written.flatMap((line) => (dice.once(8) ? [line, end] : [line])).join('');
    return dice.once(4) ? blanks.replace(/(?:\r?\n)+$/, '') : blanks;
  },
};

const text: StreamWriter = {
  texts: ['plain'],
  write: ({ texts }) => Buffer.from(texts.flat().join(''), 'utf8').toString('utf8'),
};

export const STREAM_WRITERS = {
  'openai.chat': chat,
  'openai.responses': responses,
  'anthropic.messages': messages,
  'gemini.events': geminiEvents,
  'gemini.array': geminiArray,
  mcp: tools,
  sse: anyEvents,
  ndjson: lines,
  text,
} as const satisfies Record<string, StreamWriter>;

/** What makes one JSON body out of some texts. */
export type DocumentWriter = (texts: readonly string[], style: Style) => Json;

const pickTexts = (texts: readonly string[], from: number): readonly string[] => texts.slice(from);

export const ANSWER_WRITERS = {
  'openai.chat': (texts, { dice }) =>
    members(
      ['id', 'chatcmpl-1'],
      [
        'choices',
        texts.map((words, index) =>
          members(
            ['index', index],
            [
              'message',
              members(
                ['role', 'assistant'],
                ['content', words],
                dice.once(3)
                  ? [
                      'tool_calls',
                      [
                        members(
                          ['id', 'c'],
                          [
                            'function',
                            members(
                              ['name', 'look_up'],
                              ['arguments', argumentsText(words, index)],
                            ),
                          ],
                        ),
                      ],
                    ]
                  : undefined,
              ),
            ],
            dice.once(3) ? ['logprobs', members(['content', [tokenOf(words)]])] : undefined,
            ['finish_reason', 'stop'],
          ),
        ),
      ],
      ['usage', members(['total_tokens', new Odd('1E1')])],
    ),
  'openai.responses': (texts, { dice }) =>
    members(
      ['id', 'resp_1'],
      ['object', 'response'],
      [
        'output',
        texts.map((words, index) =>
          dice.once(3)
            ? members(
                ['type', 'function_call'],
                ['name', 'look_up'],
                ['arguments', argumentsText(words, index)],
              )
            : members(
                ['type', 'message'],
                ['role', 'assistant'],
                [
                  'content',
                  [
                    members(
                      ['type', 'output_text'],
                      ['text', words],
                      dice.once(3) ? ['logprobs', [tokenOf(words)]] : undefined,
                    ),
                  ],
                ],
              ),
        ),
      ],
    ),
  'anthropic.messages': (texts, { dice }) =>
    members(
      ['id', 'msg_1'],
      ['type', 'message'],
      ['role', 'assistant'],
      [
        'content',
        texts.map((words) =>
          dice.once(3)
            ? members(
                ['type', 'tool_use'],
                ['id', 't'],
                ['name', 'look_up'],
                ['input', members(['q', words], ['n', new Odd('1.50')])],
              )
            : dice.once(5)
              ? members(['type', 'thinking'], ['thinking', words], ['signature', 'QUJD'])
              : members(['type', 'text'], ['text', words]),
        ),
      ],
      ['stop_reason', 'end_turn'],
    ),
  gemini: (texts, { dice }) =>
    members([
      'candidates',
      [
        members(
          [
            'content',
            members(
              [
                'parts',
                texts.map((words) =>
                  dice.once(4)
                    ? members([
                        'functionCall',
                        members(['name', 'look_up'], ['args', members(['q', words])]),
                      ])
                    : members(['text', words], dice.once(4) ? ['thought', true] : undefined),
                ),
              ],
              ['role', 'model'],
            ),
          ],
          ['finishReason', 'STOP'],
        ),
      ],
    ]),
  mcp: (texts, { dice }) =>
    members(
      ['jsonrpc', '2.0'],
      ['id', 7],
      [
        'result',
        members(
          ['content', texts.map((words) => members(['type', 'text'], ['text', words]))],
          dice.once(2)
            ? ['structuredContent', members(['q', texts[0] ?? ''], ['n', new Odd('1.50')])]
            : undefined,
        ),
      ],
    ),
  json: (texts, { dice }) =>
    members(
      ['text', texts[0] ?? ''],
      ['items', [members(['title', texts[1] ?? ''], ['n', new Odd('-0')]), ...pickTexts(texts, 2)]],
      dice.once(3) ? ['text', 'again'] : undefined,
    ),
} as const satisfies Record<string, DocumentWriter>;

export const REQUEST_WRITERS = {
  'openai.chat': (texts, { dice }) =>
    members(
      ['model', 'm'],
      [
        'messages',
        texts.map((words, index) =>
          dice.once(4)
            ? members(
                ['role', 'assistant'],
                [
                  'tool_calls',
                  [
                    members(
                      ['id', 'c'],
                      ['type', 'function'],
                      [
                        'function',
                        members(['name', 'look_up'], ['arguments', argumentsText(words, index)]),
                      ],
                    ),
                  ],
                ],
              )
            : members(
                ['role', dice.pick(['user', 'system', 'tool'])],
                ['content', dice.once(3) ? [members(['type', 'text'], ['text', words])] : words],
              ),
        ),
      ],
      ['temperature', new Odd('0.10')],
    ),
  'openai.responses': (texts, { dice }) =>
    members(['model', 'm'], dice.once(2) ? ['instructions', texts[0] ?? ''] : undefined, [
      'input',
      texts.length === 1
        ? texts[0]!
        : texts.map((words) =>
            members(
              ['role', 'user'],
              [
                'content',
                dice.once(2) ? words : [members(['type', 'input_text'], ['text', words])],
              ],
            ),
          ),
    ]),
  'anthropic.messages': (texts, { dice }) =>
    members(
      ['model', 'm'],
      dice.once(2) ? ['system', texts[0] ?? ''] : undefined,
      ['max_tokens', new Odd('1E2')],
      [
        'messages',
        texts.map((words) =>
          members(
            ['role', 'user'],
            [
              'content',
              dice.once(2)
                ? words
                : [
                    dice.once(3)
                      ? members(
                          ['type', 'tool_use'],
                          ['id', 't'],
                          ['name', 'look_up'],
                          ['input', members(['q', words])],
                        )
                      : members(['type', 'text'], ['text', words]),
                  ],
            ],
          ),
        ),
      ],
    ),
  gemini: (texts, { dice }) =>
    members(
      dice.once(2)
        ? ['systemInstruction', members(['parts', [members(['text', texts[0] ?? ''])]])]
        : undefined,
      [
        'contents',
        texts.map((words) =>
          members(
            ['role', 'user'],
            [
              'parts',
              [
                dice.once(4)
                  ? members([
                      'functionResponse',
                      members(['name', 'look_up'], ['response', members(['q', words])]),
                    ])
                  : members(['text', words]),
              ],
            ],
          ),
        ),
      ],
    ),
  mcp: (texts) =>
    members(
      ['jsonrpc', '2.0'],
      ['id', 7],
      ['method', 'tools/call'],
      [
        'params',
        members(
          ['name', 'look_up'],
          [
            'arguments',
            members(['q', texts[0] ?? ''], ['list', pickTexts(texts, 1)], ['n', new Odd('1.50')]),
          ],
        ),
      ],
    ),
  json: (texts) =>
    members(
      ['text', texts[0] ?? ''],
      ['items', [members(['title', texts[1] ?? '']), ...pickTexts(texts, 2)]],
    ),
} as const satisfies Record<string, DocumentWriter>;

/** Values one to a line; some lines are blank, and the last may have no end. */
export function requestLines(texts: readonly string[], style: Style): string {
  const { dice } = style;
  const end = (): string => dice.pick(['\n', '\n', '\r\n', '\n\n', '\n \r\n']);
  const lines = texts.map((words) =>
    dice.once(5)
      ? writeJson(words, style)
      : writeJson(REQUEST_WRITERS.json([words, ...texts.slice(2)]), style),
  );
  return lines.map((line) => line + end()).join('') + (dice.once(2) ? '"end"' : '');
}
