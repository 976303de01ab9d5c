/** Events as lines for people. ASCII marks only: they survive every log. */
import { printable, visible } from '../printable.ts';
import type { TrialEvent, TrialEventOf } from './events.ts';
import type { Paint } from './paint.ts';

/** Units of a text shown for one frame. */
const SHOWN_UNITS_MAX = 60;
const MARGIN = '          ';

/** A word in the margin, then what there is to say. */
export function entry(word: string, text: string): string {
  return `${word.padEnd(MARGIN.length)}${text}`;
}

/** What matters: matches, what could not be read, refusals, the verdict. */
export function shortReport(event: TrialEvent, paint: Paint): readonly string[] {
  switch (event.event) {
    case 'exchange':
      return [
        ...event.warnings.map((warning) => paint('changed', entry('warning', printable(warning)))),
        ...(event.guessed.length === 0
          ? []
          : [paint('dim', entry('guessed', event.guessed.join(', ')))]),
      ];
    case 'body':
      return [paint('dim', bodyLine(event))];
    case 'rule':
      return standingLines(event, paint);
    case 'match':
      return matchLines(event, paint);
    case 'appended':
      return [appendedLine(event)];
    case 'unreadable':
      return [paint('bad', unreadableLine(event))];
    case 'refused':
      return [refusedLine(event, paint)];
    case 'verdict':
      return [verdictLine(event, paint)];
    default:
      return [];
  }
}

/** Everything: also who asks, every rule, every frame, what held it and when it left. */
export function fullReport(event: TrialEvent, paint: Paint): readonly string[] {
  switch (event.event) {
    case 'exchange':
      return [
        entry('set', `${event.set}, policies ${event.policies}, rules ${event.rules}`),
        entry(
          event.direction,
          visible(`${event.method} ${event.path}, ${event.contentType || 'no content type'}`),
        ),
        ...shortReport(event, paint),
      ];
    case 'facts':
      return [entry('facts', visible(pairs(event.facts)) || 'none')];
    case 'rule':
      return [entry('rule', `${event.rule}  ${paint('dim', ruleSummary(event))}`)];
    case 'frame':
      return frameLines(event, paint);
    case 'held':
      return heldLines(event, paint);
    case 'released':
      return releasedLines(event, paint);
    case 'refused':
      return [refusedLine(event, paint), ...answerLines(event, paint)];
    default:
      return shortReport(event, paint);
  }
}

export function pairs(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function bodyLine({ direction, format, streamed, rules }: TrialEventOf<'body'>): string {
  const how = streamed ? 'frame by frame' : 'as one document';
  return entry('reads', `the ${direction} as ${format}, ${how}, for ${rules.join(', ')}`);
}

/** Why a rule does what it does, in a few words. */
function ruleSummary(event: TrialEventOf<'rule'>): string {
  const kind = `${event.class}, ${event.layer}, ${event.action}`;
  const missed = event.selector.filter(({ wanted, found }) => wanted !== found);
  if (missed.length > 0) {
    const facts = missed.map(({ fact, wanted, found }) =>
      visible(`${fact} is ${found === null ? 'unknown' : `\`${found}\``}, not \`${wanted}\``),
    );
    return `${kind}: not selected, ${facts.join(', ')}`;
  }
  if (event.when?.result === 'false') return `${kind}: its condition is false`;
  if (event.when?.result === 'error') return `${kind}: ${event.when.error}`;
  if (event.exemptBy !== null) return `${kind}: lifted by ${event.exemptBy}`;
  const shadow = event.enforcement === 'shadow' ? ', in shadow' : '';
  if (event.acts === 'standing') return `${kind}: holds for the whole exchange${shadow}`;
  return `${kind}: reads ${event.inspect.join(', ')}${shadow}`;
}

/** Rules that act without reading anything, or failed. */
function standingLines(event: TrialEventOf<'rule'>, paint: Paint): readonly string[] {
  const failed = event.when?.result === 'error';
  if (event.acts !== 'standing' && !failed) return [];
  const summary = ruleSummary(event);
  return [entry('rule', `${event.rule}  ${failed ? paint('bad', summary) : summary}`)];
}

const EFFECTS: Readonly<Record<TrialEventOf<'match'>['effect'], string>> = {
  shadow: 'in shadow: nothing is done',
  exempt: 'lifted by',
  flag: 'flagged',
  allow: 'allowed',
  append: 'earns an addition',
  block: 'blocked',
  remove: 'taken out',
  inject: 'adds words for the system',
  route: 'sends the request elsewhere',
  throttle: 'is counted',
  hold: 'would wait for an approval',
  replace: 'becomes',
  restore: 'gives way to what it stands for',
  cover: 'goes with the replacement of',
  sealed: 'is signed, so that it ends the body',
  structure: 'is nothing but the structure of JSON, so that it ends the body',
  unable: 'earns an addition that has no place here, so that it ends the body',
};

export function effectOf({ effect, by, replacement }: TrialEventOf<'match'>): string {
  return [EFFECTS[effect], by, replacement === null ? undefined : `\`${visible(replacement)}\``]
    .filter((part) => part !== null && part !== undefined)
    .join(' ');
}

export function placeOf(event: TrialEventOf<'match'>): string {
  const [first, last] = event.frames;
  const frames = first === last ? `frame ${first}` : `frames ${first}-${last}`;
  const column = event.column === null ? '' : `:${event.column}`;
  return `${visible(event.text)} ${event.start}..${event.end}, ${frames}, line ${event.line}${column}`;
}

function matchLines(event: TrialEventOf<'match'>, paint: Paint): readonly string[] {
  const what = `${paint('strong', event.rule)}  ${event.action} ${event.label}, ${placeOf(event)}`;
  return [entry('match', what), ...excerpt(event, paint).map((line) => `${MARGIN}${line}`)];
}

/** The match in what stands around it, marked below as well as by colour, and what became of it. */
export function excerpt(event: TrialEventOf<'match'>, paint: Paint): readonly string[] {
  const before = visible(event.before);
  const matched = visible(event.matched);
  const ends = ['block', 'sealed', 'structure', 'unable'].includes(event.effect);
  const marks = '^'.repeat(Math.max(1, columns(matched)));
  const effect = paint(ends ? 'bad' : 'changed', effectOf(event));
  return [
    `${before}${paint('match', matched)}${visible(event.after)}`,
    `${' '.repeat(columns(before))}${marks} ${effect}`,
  ];
}

/** Columns that a terminal gives to a text without controls: two to East Asian wide characters and emoji. */
function columns(text: string): number {
  let count = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    count += WIDE.test(character) ? 2 : 1;
  }
  return count;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

function frameLines(event: TrialEventOf<'frame'>, paint: Paint): readonly string[] {
  const { frame, line, bytes, texts } = event;
  const head = entry(`frame ${frame}`, paint('dim', `line ${line}, ${bytes} bytes`));
  return [
    head,
    ...texts.map(({ text, place, start, value }) => {
      const end = start + value.length;
      return `${MARGIN}${visible(text)} ${paint('dim', `(${place})`)} ${start}..${end} "${shown(value)}"`;
    }),
  ];
}

function shown(value: string): string {
  if (value.length <= SHOWN_UNITS_MAX) return visible(value);
  const more = value.length - SHOWN_UNITS_MAX;
  return `${visible(value.slice(0, SHOWN_UNITS_MAX))}... and ${more} more`;
}

function heldLines({ frame, waits }: TrialEventOf<'held'>, paint: Paint): readonly string[] {
  const held = paint('changed', 'held');
  if (waits.length === 0)
    return [`${MARGIN}${held} frame ${frame}: something in it is not complete`];
  const texts = new Map<string, string[]>();
  for (const { rule, text, start } of waits) {
    const from = `${visible(text)} ${start}`;
    texts.set(from, [...(texts.get(from) ?? []), rule]);
  }
  return [...texts].map(
    ([from, rules]) =>
      `${MARGIN}${held} frame ${frame}: from ${from} on it may become a match of ${rules.join(', ')}`,
  );
}

function releasedLines(event: TrialEventOf<'released'>, paint: Paint): readonly string[] {
  const { frame, after, written, bytes } = event;
  const how = written !== null ? paint('changed', `changed, ${bytes} bytes`) : 'as it came';
  if (frame === null) return [entry('leaves', `a frame of our own, ${bytes} bytes`)];
  const waited = after > frame ? `, after frame ${after} was read` : '';
  return [entry('leaves', `frame ${frame}${waited}: ${how}`)];
}

function appendedLine({ text, rules, form }: TrialEventOf<'appended'>): string {
  const where = {
    frame: 'as a frame of its own at the end of',
    edit: 'to the end of',
    later: 'later, not to',
    impossible: 'nowhere: the format has no place for it after',
  }[form];
  return entry('adds', `${rules.join(', ')} ${where} ${visible(text)}`);
}

function unreadableLine({ direction, reason, advice }: TrialEventOf<'unreadable'>): string {
  return entry('unread', `the ${direction} cannot be read (${reason}): ${advice}`);
}

function refusedLine(event: TrialEventOf<'refused'>, paint: Paint): string {
  const { direction, code, rule, status } = event;
  const by = rule === null ? code : `${code}, ${rule}`;
  const how =
    status === null ? 'ends in the words of its format' : `is answered with HTTP ${status}`;
  return entry('refused', paint('bad', `the ${direction} ${how} (${by})`));
}

function answerLines(event: TrialEventOf<'refused'>, paint: Paint): readonly string[] {
  const headers = Object.entries(event.headers).map(([name, value]) => `${name}: ${value}`);
  const body = event.body.replace(/\s+$/, '').split('\n');
  return [...headers, ...body].map((line) =>
    line === '' ? '' : `${MARGIN}${paint('dim', visible(line))}`,
  );
}

const OUTCOMES: Readonly<
  Record<TrialEventOf<'verdict'>['outcome'], readonly [string, 'good' | 'changed' | 'bad']>
> = {
  passed: ['passed', 'good'],
  changed: ['passed, changed', 'changed'],
  refused: ['refused', 'bad'],
  unreadable: ['not judged: it cannot be read', 'bad'],
};

function verdictLine(event: TrialEventOf<'verdict'>, paint: Paint): string {
  const [words, style] = OUTCOMES[event.outcome];
  const { framesRead, framesHeld, framesHeldMost, framesNeverLeft } = event;
  const held = framesHeld === 0 ? '' : `, ${framesHeld} held (at most ${framesHeldMost} at once)`;
  const lost = framesNeverLeft === 0 ? '' : `, ${framesNeverLeft} never left`;
  const counts =
    framesRead === 0
      ? 'no rule read it'
      : `matches ${event.matches}, frames ${framesRead}${held}${lost}`;
  const degraded = event.degraded ? '; degraded: not everything could be judged' : '';
  return entry('verdict', `${paint(style, words)}; ${printable(counts)}${degraded}`);
}
