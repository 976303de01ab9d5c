// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is planted is code.
/** Faults for `npm run mutants` (docs/laws.md): each is one character or little more, and each must be found. */

export interface Mutant {
  /** Below `src`. */
  readonly file: string;
  /** Stands in the file once. */
  readonly from: string;
  readonly to: string;
  /** Which of the laws, by their names. Undefined: all of them, or none where `suites` says who finds it. */
  readonly laws?: string;
  /** What the laws cannot see is found by these suites, below `test`. */
  readonly suites?: readonly string[];
}

const MATCHER: readonly Mutant[] = [
  { file: 'match/union-run.ts', from: 'at - 1 - age, end, at', to: 'at - age, end, at' },
  { file: 'match/union-run.ts', from: 'oldest + CONTEXT_UNITS', to: 'oldest' },
  {
    file: 'match/union-run.ts',
    from: 'this.origin + to - live) + LOOK_BACK_UNITS',
    to: 'this.origin + to - live) + LOOK_BACK_UNITS - 1',
    suites: ['match/look-back'],
  },
  {
    file: 'match/union-run.ts',
    from: 'Math.max(0, this.origin + to - live) +',
    to: '',
    suites: ['match/look-back'],
  },
  {
    file: 'match/union-run.ts',
    from: 'this.stored + count > store.length',
    to: 'this.stored > store.length',
    suites: ['match/look-back'],
  },
  {
    file: 'match/union-run.ts',
    from: 'copyUnits(scratch, 0, held, 0, this.store);',
    to: '',
    suites: ['match/look-back'],
  },
  {
    file: 'match/token-tracker.ts',
    from: 'if (this.kind.headUnits === NONE) this.trail?.restartAt(at);',
    to: '',
    suites: ['match/token'],
  },
  {
    file: 'match/regex-dfa.ts',
    from: 'continue;\n      if (index === last) break;',
    to: 'continue;',
    suites: ['match/token'],
  },
  {
    file: 'match/regex-dfa.ts',
    from: '}\n      if (index === last) break;',
    to: '}',
    suites: ['match/forms'],
  },
  {
    file: 'match/regex-dfa.ts',
    from: 'asked |= 1 << head;',
    to: 'asked |= 1 << (head + 1);',
    suites: ['match/forms'],
  },
  {
    file: 'match/pii/phone.ts',
    from: 'number.length <= DATE_UNITS_MAX',
    to: 'number.length < DATE_UNITS_MAX',
    suites: ['match/pii-shortcuts'],
  },
  {
    file: 'match/pii/phone.ts',
    from: 'dotted || digits.length === 9 ||',
    to: 'dotted ||',
    suites: ['match/pii-shortcuts'],
  },
  {
    file: 'match/pii/phone.ts',
    from: "!token.includes('(', open + 1)",
    to: "!token.includes('((', open + 1)",
    suites: ['match/pii-shortcuts'],
  },
  {
    file: 'match/pii/crypto-address.ts',
    from: 'used > 0 && last < 0x100',
    to: 'used > 0 && last < 0x80',
    suites: ['match/pii-shortcuts'],
  },
  {
    file: 'match/pii/crypto-address.ts',
    from: 'while (zeros < text.length &&',
    to: 'while (zeros < 1 &&',
    suites: ['match/pii-shortcuts'],
  },
  {
    file: 'match/heads.ts',
    from: 'if ((state.open & asked & ~found) === 0)',
    to: 'if ((state.open & asked & found) === 0)',
    suites: ['match/forms'],
  },
  {
    file: 'match/token-tracker.ts',
    from: 'units + place - from',
    to: 'units + place - from - 1',
    suites: ['match/token', 'match/forms'],
  },
  {
    file: 'match/token-tracker.ts',
    from: 'Math.max(this.reach, came + 1)',
    to: 'Math.max(this.reach, came)',
    suites: ['match/token', 'match/forms'],
  },
  {
    file: 'match/token-tracker.ts',
    from: 'needed = at + 1;\n            break;',
    to: 'needed = at;\n            break;',
    suites: ['match/token', 'match/forms'],
  },
  {
    file: 'match/token-trail.ts',
    from: 'fields[index * FIELDS + WAY] === this.way &&',
    to: '',
    suites: ['match/token'],
  },
  {
    file: 'match/token-trail.ts',
    from: 'this.begin = index + 1;',
    to: 'this.begin = index;',
    suites: ['match/token'],
  },
  {
    file: 'match/regex-dfa.ts',
    from: 'state.matchKinds !== 0 || ',
    to: '',
    suites: ['match/token'],
  },
  {
    file: 'match/keywords.ts',
    from: 'thread.spaces > SPACE_RUN_MAX',
    to: 'thread.spaces >= SPACE_RUN_MAX',
  },
  {
    file: 'match/keyword-trie.ts',
    from: 'for (const letter of letters) {',
    to: 'for (const letter of letters.slice(1)) {',
    laws: 'text',
  },
  { file: 'match/keywords.ts', from: 'thread.unsureEnd = at + 1;', to: 'thread.unsureEnd = at;' },
  {
    file: 'match/regex-tracker.ts',
    from: 'end - start + more <= this.unitsCap',
    to: 'end - start + more < this.unitsCap',
  },
  { file: 'match/email.ts', from: 'this.labelUnits >= 2', to: 'this.labelUnits >= 3' },
  {
    file: 'match/card.ts',
    from: 'lengths >= bitOf(digits + 1)',
    to: 'lengths >= bitOf(digits + 2)',
  },
];

/** What keeps frames back, and what covers what. */
const HOLDING: readonly Mutant[] = [
  {
    file: 'engine/inspection.ts',
    from: 'held.spans.some((span) => span.end > span.track.settled)',
    to: 'held.spans.some((span) => span.end > span.track.settled + 1)',
  },
  {
    file: 'engine/inspection.ts',
    from: 'held.spans.some((span) => span.end > span.track.settled)',
    to: 'held.spans.some((span) => span.end >= span.track.settled)',
  },
  {
    file: 'engine/inspection.ts',
    from: 'this.queue.slice(0, last + 1)',
    to: 'this.queue.slice(0, last)',
  },
  {
    file: 'engine/inspection.ts',
    from: 'end: track.length + value.length,',
    to: 'end: track.length + value.length - 1,',
  },
  {
    file: 'engine/text-track.ts',
    from: 'this.ended ? this.length : this.sourceStart(this.safe)',
    to: 'this.ended ? this.length : this.sourceStart(this.safe) - 1',
  },
  {
    file: 'engine/text-matches.ts',
    from: 'match.start < this.clusterEnd',
    to: 'match.start <= this.clusterEnd',
  },
  {
    file: 'engine/text-matches.ts',
    from: 'this.undecided.filter((match) => match.start < safe)',
    to: 'this.undecided.filter((match) => match.start < safe - 1)',
  },
  {
    file: 'engine/subject-track.ts',
    from: 'end: Math.min(change.end, end) - start,',
    to: 'end: Math.min(change.end, end) - start - 1,',
    suites: ['engine/json-rules'],
  },
];

const FORMATS: readonly Mutant[] = [
  {
    file: 'formats/anthropic-content.ts',
    from: "if (node.kind === 'object') return node.members.length === 0;",
    to: "if (node.kind === 'object') return node.members.length <= 1;",
    laws: 'anthropic',
  },
  {
    file: 'formats/anthropic-events.ts',
    from: 'ends: [`block/${index}/`]',
    to: 'ends: [`block/${index + 1}/`]',
    laws: 'anthropic',
  },
  {
    file: 'formats/anthropic-refusal.ts',
    from: 'for (const index of seen.openBlocks)',
    to: 'for (const index of seen.openBlocks.slice(1))',
    suites: ['formats/anthropic'],
  },
  {
    file: 'formats/anthropic.ts',
    from: 'Math.max(-1, ...this.#memory.blocks.keys()) + 1',
    to: 'Math.max(-1, ...this.#memory.blocks.keys())',
    suites: ['engine/api-actions', 'formats/anthropic'],
  },
  {
    file: 'formats/api-names.ts',
    from: 'lower.slice(1)',
    to: 'lower.slice(2)',
    suites: ['formats/api-names'],
  },
  {
    file: 'formats/byte-store.ts',
    from: 'this.#write(own, from, to);\n      return own;',
    to: 'return Buffer.from(this.parts(from, to)[0]!.buffer);',
    suites: ['formats/byte-store'],
  },
  {
    file: 'formats/byte-store.ts',
    from: 'part.set(bytes.subarray(room));',
    to: 'part.set(bytes.subarray(room + 1));',
  },
  {
    file: 'formats/chat-answer.ts',
    from: 'return choices.filter(({ finished }) => finished)',
    to: 'return choices.slice(1).filter(({ finished }) => finished)',
    laws: 'chat',
  },
  {
    file: 'formats/chat-frame.ts',
    from: 'choice.pieces.some((piece) => touched.has(piece))',
    to: 'choice.pieces.slice(1).some((piece) => touched.has(piece))',
    laws: 'chat',
  },
  {
    file: 'formats/chat-refusal.ts',
    from: "event({ ...chunk(envelope, index, {}, 'content_filter'), switchyard })",
    to: "event({ ...chunk(envelope, index + 1, {}, 'content_filter'), switchyard })",
    suites: ['formats/chat-refusal', 'formats/chat-answer'],
  },
  {
    file: 'formats/chat-request.ts',
    from: 'collector.each(messages.items, (message, index)',
    to: 'collector.each(messages.items.slice(1), (message, index)',
    laws: 'chat',
  },
  {
    file: 'formats/detect.ts',
    from: 'const DECODINGS = 2;',
    to: 'const DECODINGS = 1;',
    suites: ['formats/detect'],
  },
  {
    file: 'formats/encodings.ts',
    from: 'codings.length > ENCODINGS_MAX',
    to: 'codings.length >= ENCODINGS_MAX',
    laws: 'coded',
  },
  {
    file: 'formats/encodings.ts',
    from: 'codings.toReversed()',
    to: 'codings.toReversed().slice(1)',
    laws: 'coded',
  },
  {
    file: 'formats/frame-reading.ts',
    from: 'collector.readOn() ? frame() : undefined',
    to: 'collector.readOn() !== undefined ? frame() : undefined',
    suites: ['formats/pace'],
  },
  {
    file: 'formats/gemini-body.ts',
    from: 'this.#candidate = index;',
    to: 'this.#candidate = 0;',
    laws: 'gemini',
  },
  {
    file: 'formats/gemini-refusal.ts',
    from: 'candidates: candidates.map((index) => ({',
    to: 'candidates: candidates.slice(1).map((index) => ({',
    suites: ['formats/gemini'],
  },
  {
    file: 'formats/gemini.ts',
    from: 'new JsonScanner(bytes, this.#limits, GEMINI_NAMES, from, to)',
    to: 'new JsonScanner(bytes, this.#limits, GEMINI_NAMES, from, to - 1)',
    laws: 'gemini',
  },
  {
    file: 'formats/generic-events.ts',
    from: 'edits.length === 0',
    to: 'edits.length <= 1',
    laws: 'sse',
  },
  {
    file: 'formats/generic-json.ts',
    from: 'return this.#open(root, bytes, pace);\n  }\n\n  protected override',
    to: 'return this.#open({ ...root, members: root.members.slice(1) }, bytes, pace);\n  }\n\n  protected override',
    laws: 'json',
  },
  {
    file: 'formats/generic-sse.ts',
    from: 'genericJson(undefined, limits)',
    to: "genericJson([['text']], limits)",
    laws: 'sse',
  },
  {
    file: 'formats/json-clamp.ts',
    from: 'start: start + quotes',
    to: 'start: start + quotes + 1',
    suites: ['engine/json-rules'],
  },
  {
    file: 'formats/json-document.ts',
    from: '.value.length;\n  return { kind',
    to: '.value.length - 1;\n  return { kind',
    suites: ['engine/actions', 'engine/api-actions'],
  },
  {
    file: 'formats/json-elements.ts',
    from: 'elements.push(this.#cut(start, at + 1,',
    to: 'elements.push(this.#cut(start, at,',
    laws: 'gemini',
  },
  {
    file: 'formats/json-frame.ts',
    from: 'const shift = line.rawStart - line.dataStart;',
    to: 'const shift = line.rawStart - line.dataStart + 1;',
  },
  {
    file: 'formats/json-frame.ts',
    from: ': literal.start + 1;',
    to: ': literal.start + 2;',
    laws: 'mcp',
  },
  {
    file: 'formats/json-leaves.ts',
    from: '`${at}[${index}]`',
    to: '`${at}[0]`',
    suites: ['formats/generic', 'formats/ndjson'],
  },
  {
    file: 'formats/json-path.ts',
    from: 'below.push(node.items[step.index]!)',
    to: 'below.push(node.items[step.index + 1]!)',
    suites: ['engine/json-rules'],
  },
  {
    file: 'formats/json-stream.ts',
    from: 'only.rawStart + only.length)',
    to: 'only.rawStart + only.length - 1)',
  },
  {
    file: 'formats/json-string.ts',
    from: "buffer.toString('latin1', literal.start + 1, literal.end - 1)",
    to: "buffer.toString('latin1', literal.start + 1, literal.end - 2)",
  },
  {
    file: 'formats/json-view.ts',
    from: "if (pending.length < 6) return '';",
    to: "if (pending.length < 5) return '';",
    laws: 'chat',
  },
  {
    file: 'formats/json.ts',
    from: 'if (isShortEscape(bytes[at + 1])) return 2;',
    to: 'if (isShortEscape(bytes[at + 1])) return 1;',
  },
  {
    file: 'formats/limits.ts',
    from: 'depthMax: 64',
    to: 'depthMax: 65',
    suites: ['formats/json'],
  },
  {
    file: 'formats/logprobs.ts',
    from: 'spelled === said.length',
    to: 'spelled <= said.length',
    suites: ['formats/logprobs'],
  },
  {
    file: 'formats/mcp-message.ts',
    from: 'node.end - node.start <= ID_BYTES_MAX',
    to: 'node.end - node.start < ID_BYTES_MAX',
    suites: ['formats/mcp'],
  },
  {
    file: 'formats/mcp-refusal.ts',
    from: 'batch && requests.length > 0',
    to: 'batch && requests.length > 1',
    suites: ['formats/mcp'],
  },
  {
    file: 'formats/mcp.ts',
    from: 'end === pieces[piece]!.value.length',
    to: 'end === pieces[piece]!.value.length - 1',
    suites: ['formats/mcp'],
  },
  {
    file: 'formats/media.ts',
    from: 'sample.length - incompleteTail(sample, sample.length)',
    to: 'sample.length',
    suites: ['formats/media'],
  },
  {
    file: 'formats/media.ts',
    from: 'bytes.length : bytes.length - incompleteTail(bytes, bytes.length)',
    to: 'bytes.length : bytes.length',
    suites: ['formats/media'],
  },
  {
    file: 'formats/media.ts',
    from: 'this.padding === 0 ||',
    to: 'this.padding >= 0 ||',
    suites: ['formats/media'],
  },
  {
    file: 'formats/model-list.ts',
    from: 'return names.length > 0 &&',
    to: 'return names.length >= 0 &&',
    suites: ['engine/restrictions'],
  },
  {
    file: 'formats/model-path.ts',
    from: 'return placeIn(plainPath(path))?.[2];',
    to: 'return placeIn(plainPath(path))?.[1];',
    suites: ['engine/restrictions', 'engine/route'],
  },
  {
    file: 'formats/ndjson.ts',
    from: 'tooLong ? room : at + 1',
    to: 'tooLong ? room : at',
    laws: 'ndjson',
  },
  {
    file: 'formats/opaque.ts',
    from: 'bytes.length === 0 ?',
    to: 'bytes.length <= 1 ?',
    suites: ['formats/generic', 'formats/detect'],
  },
  {
    file: 'formats/openai-chat.ts',
    from: 'contentEvent(envelope, Number(choice), addition)',
    to: 'contentEvent(envelope, Number(choice) + 1, addition)',
    suites: ['engine/actions', 'formats/chat-answer'],
  },
  {
    file: 'formats/openai-completions.ts',
    from: "answer(envelope, index, '', 'content_filter')",
    to: "answer(envelope, index + 1, '', 'content_filter')",
    suites: ['formats/openai-completions'],
  },
  {
    file: 'formats/openai-inputs.ts',
    from: 'collector.each(node.items, (item, index)',
    to: 'collector.each(node.items.slice(1), (item, index)',
    suites: ['engine/api-laws', 'formats/openai-completions'],
  },
  {
    file: 'formats/openai-responses.ts',
    from: 'if (at <= ordinal) before += 1;',
    to: 'if (at < ordinal) before += 1;',
    suites: ['engine/api-actions', 'formats/openai-responses'],
  },
  {
    file: 'formats/piece-collector.ts',
    from: 'this.next++',
    to: 'this.next',
    suites: ['formats/piece-collector'],
  },
  {
    file: 'formats/request-body.ts',
    from: 'named.length > 1 ||',
    to: 'named.length > 2 ||',
    suites: ['formats/chat-request', 'engine/route'],
  },
  {
    file: 'formats/request-change.ts',
    from: 'this.insertion(literal.end - 1, this.escaped(gap + end))',
    to: 'this.insertion(literal.end - 2, this.escaped(gap + end))',
    suites: ['engine/inject'],
  },
  {
    file: 'formats/responses-body.ts',
    from: 'each(node.items, (item, index) => {\n      readItem(item, `${key}/${index}`, place',
    to: 'each(node.items.slice(1), (item, index) => {\n      readItem(item, `${key}/${index}`, place',
    laws: 'responses',
  },
  {
    file: 'formats/responses-events.ts',
    from: 'ends.push(prefix);',
    to: "ends.push(prefix + '/');",
    laws: 'responses',
  },
  {
    file: 'formats/responses-items.ts',
    from: 'each(content.items, (part, index)',
    to: 'each(content.items.slice(1), (part, index)',
    laws: 'responses',
  },
  {
    file: 'formats/responses-refusal.ts',
    from: 'let next = seen.sequence;',
    to: 'let next = seen.sequence + 1;',
    suites: ['formats/openai-responses'],
  },
  {
    file: 'formats/small-list.ts',
    from: 'if (list.length === 0) return [one];',
    to: 'if (list.length <= 1) return [one];',
  },
  {
    file: 'formats/small-map.ts',
    from: '[this.#key as K, this.#value],\n        [key, value],',
    to: '[key, value],',
    laws: 'chat',
  },
  {
    file: 'formats/splice.ts',
    from: 'if (splice.start < cursor) continue;',
    to: 'if (splice.start <= cursor) continue;',
  },
  {
    file: 'formats/sse.ts',
    from: 'if (completesCrlf) return false;',
    to: 'if (completesCrlf) return this.#lineIsEmpty;',
  },
  {
    file: 'formats/sse.ts',
    from: 'dataStart += end - value + 1;',
    to: 'dataStart += end - value;',
  },
  {
    file: 'formats/text-moves.ts',
    from: 'if (offset <= start) break;',
    to: 'if (offset < start) break;',
    suites: ['formats/text-moves'],
  },
  {
    file: 'formats/text.ts',
    from: 'length - incompleteTail(all, length)',
    to: 'length - Math.max(0, incompleteTail(all, length) - 1)',
    laws: 'text',
  },
  {
    file: 'formats/json-entries.ts',
    from: 'let at = kept + 1; at < entries.length',
    to: 'let at = kept + 2; at < entries.length',
    suites: ['engine/tools'],
  },
  {
    file: 'formats/tool-list.ts',
    from: 'known.items.size === entry.list.items.length',
    to: 'known.items.size + 1 === entry.list.items.length',
    suites: ['engine/tools', 'engine/tool-choice'],
  },
  {
    file: 'formats/tool-choice.ts',
    from: 'length === list.items.length) return',
    to: 'length + 1 === list.items.length) return',
    suites: ['engine/tool-choice'],
  },
  {
    file: 'formats/tool-parts.ts',
    from: 'if (names.length > 1 ||',
    to: 'if (names.length > 2 ||',
    suites: ['formats/tool-parts'],
  },
  { file: 'formats/utf8.ts', from: 'needed >= back &&', to: 'needed > back &&', laws: 'text' },
  {
    file: 'formats/whole-body.ts',
    from: 'this.#pending.length - start > this.#bodyBytesMax',
    to: 'this.#pending.length - start >= this.#bodyBytesMax',
    suites: ['formats/chat-request', 'formats/generic', 'formats/text'],
  },
  {
    file: 'formats/zstd-frames.ts',
    from: 'const TWO_BYTE_SIZE_OFFSET = 256;',
    to: 'const TWO_BYTE_SIZE_OFFSET = 255;',
    suites: ['formats/zstd'],
  },
];

export const MUTANTS: readonly Mutant[] = [...MATCHER, ...HOLDING, ...FORMATS];

/** Files of `src/formats` in which nothing can be off by one. */
export const NOTHING_TO_PLANT: ReadonlySet<string> = new Set([
  // Types alone.
  'formats/frame.ts',
  // How much is done in one go, which may not show.
  'formats/pace.ts',
  // A list of names.
  'formats/ordinary-names.ts',
]);
