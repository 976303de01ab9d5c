/** What every rule did with one exchange, and why: a block for each rule. */
import { visible } from '../printable.ts';
import type { TrialEvent, TrialEventOf } from './events.ts';
import type { Paint } from './paint.ts';
import { effectOf, entry, excerpt, pairs, placeOf, shortReport } from './report.ts';

/** Matches shown of one rule; the rest are counted. */
const MATCHES_SHOWN_MAX = 10;
const INDENT = ' '.repeat(13);

const STANCES: Readonly<Record<TrialEventOf<'rule'>['onError'], string>> = {
  deny: 'when it cannot be judged, the exchange is refused',
  allow: 'when it cannot be judged, the exchange passes and its record says degraded',
};

type RuleEvent = TrialEventOf<'rule'>;
type MatchEvent = TrialEventOf<'match'>;

/** `only`: ids of the rules that are asked for; empty for all. */
export function explanation(
  events: readonly TrialEvent[],
  only: readonly string[],
  paint: Paint,
): readonly string[] {
  const pick = <Name extends TrialEvent['event']>(name: Name): readonly TrialEventOf<Name>[] =>
    events.filter((event): event is TrialEventOf<Name> & TrialEvent => event.event === name);
  const [facts] = pick('facts');
  const [verdict] = pick('verdict');
  const refused = pick('refused');
  const places = new Set(pick('frame').flatMap(({ texts }) => texts.map(({ place }) => place)));
  const lines: string[] = [];
  for (const event of pick('exchange')) {
    const said = `${event.method} ${event.path}, ${event.direction}, ${event.contentType}`;
    lines.push(entry('exchange', visible(said)), ...shortReport(event, paint));
  }
  if (facts) lines.push(entry('facts', visible(pairs(facts.facts)) || 'none'));
  for (const event of pick('unreadable')) lines.push(...shortReport(event, paint));
  for (const rule of pick('rule')) {
    if (only.length > 0 && !only.includes(rule.rule)) continue;
    const told: Told = {
      rule,
      matches: pick('match').filter((match) => match.rule === rule.rule),
      reads: pick('body').filter(({ rules }) => rules.includes(rule.rule)),
      places,
      refused,
      holds: pick('held').filter(({ waits }) => waits.some((wait) => wait.rule === rule.rule)),
      added: pick('appended').filter(({ rules }) => rules.includes(rule.rule)),
    };
    lines.push('', ...ruleBlock(told, paint));
  }
  if (pick('rule').length === 0)
    lines.push('', 'no rule was asked: the exchange was refused before');
  lines.push('');
  for (const event of refused) lines.push(...shortReport(event, paint));
  if (verdict) lines.push(...shortReport(verdict, paint));
  return lines;
}

/** All that is known of one rule. */
interface Told {
  readonly rule: RuleEvent;
  readonly matches: readonly MatchEvent[];
  readonly reads: readonly TrialEventOf<'body'>[];
  readonly places: ReadonlySet<string>;
  readonly refused: readonly TrialEventOf<'refused'>[];
  readonly holds: readonly TrialEventOf<'held'>[];
  readonly added: readonly TrialEventOf<'appended'>[];
}

function ruleBlock(told: Told, paint: Paint): readonly string[] {
  const { rule } = told;
  const overridable = rule.overridable ? ', overridable' : '';
  return [
    `${paint('strong', rule.rule)}  ${paint('dim', rule.position)}`,
    `  is         ${rule.action} of layer ${rule.layer}, priority ${rule.priority}${overridable}, ${enforcementOf(rule)}`,
    `  class      ${rule.class}: ${STANCES[rule.onError]}`,
    ...selectorLines(rule),
    ...whenLines(rule, paint),
    ...(rule.exemptBy === null ? [] : [`  lifted by  ${rule.exemptBy}, for the whole exchange`]),
    ...readingLines(told),
    ...matchBlock(told, paint),
    `  so         ${conclusion(told, paint)}`,
  ];
}

function enforcementOf({ enforcement }: RuleEvent): string {
  return enforcement === 'shadow' ? 'in shadow: it is recorded, and nothing is done' : 'enforced';
}

function selectorLines({ selector }: RuleEvent): readonly string[] {
  if (selector.length === 0) return ['  selector   none: every exchange'];
  return selector.map(({ fact, wanted, found }, index) => {
    const head = index === 0 ? '  selector   ' : INDENT;
    const is = found === null ? 'is unknown' : `is \`${visible(found)}\``;
    return `${head}${fact} must be \`${visible(wanted)}\`, and ${is}: ${wanted === found ? 'yes' : 'no'}`;
  });
}

function whenLines({ when }: RuleEvent, paint: Paint): readonly string[] {
  if (when === null) return [];
  const results = {
    true: paint('good', 'true'),
    false: paint('changed', 'false'),
    error: paint('bad', `an error: ${when.error ?? ''}`),
    unasked: 'not asked, as the selector says no',
  };
  const inputs = Object.entries(when.inputs).map(
    ([name, value]) => `${name} = ${visible(JSON.stringify(value))}`,
  );
  return [
    `  when       ${visible(when.source)}: ${results[when.result]}`,
    ...when.parts.map(({ source, result }) => `${INDENT}${visible(source)}: ${result}`),
    ...(inputs.length > 0 ? [`${INDENT}with ${inputs.join(', ')}`] : []),
  ];
}

function readingLines({ rule, reads, places, holds }: Told): readonly string[] {
  if (rule.inspect.length === 0) return [];
  const lines = [`  inspects   ${rule.inspect.join(', ')}`];
  if (rule.acts !== 'content') return lines;
  if (reads.length === 0) return [...lines, '  read       nothing: none of that is in this input'];
  for (const { direction, format } of reads) {
    const found = places.size === 0 ? 'no text' : `texts of ${[...places].sort().join(', ')}`;
    lines.push(`  read       the ${direction} as ${format}, which has ${found}`);
  }
  if (holds.length > 0)
    lines.push(`  held       ${holds.length} frames until it was sure (try --report shows which)`);
  return lines;
}

function matchBlock({ matches, added }: Told, paint: Paint): readonly string[] {
  const lines = matches
    .slice(0, MATCHES_SHOWN_MAX)
    .flatMap((match) => [
      `  matched    ${match.label}, ${placeOf(match)}`,
      ...excerpt(match, paint).map((line) => `${INDENT}${line}`),
      ...signalLines(match),
    ]);
  if (matches.length > MATCHES_SHOWN_MAX)
    lines.push(`${INDENT}and ${matches.length - MATCHES_SHOWN_MAX} more`);
  for (const { text, form } of added) {
    const where = form === 'impossible' ? 'nowhere: the format has no place for it' : visible(text);
    lines.push(`  adds to    ${where}`);
  }
  return lines;
}

/** What a score is made of: signals, how much each counted, and where. */
function signalLines({ score, signals }: MatchEvent): readonly string[] {
  if (score === undefined || signals === undefined) return [];
  return [
    `${INDENT}score ${score}, from`,
    ...signals.map(
      ({ id, weight, start, end }) => `${INDENT}  ${id} ${weight} at ${start}..${end}`,
    ),
  ];
}

/** Why it did what it did, in one sentence. */
function conclusion(told: Told, paint: Paint): string {
  const { rule, matches, reads, refused, added } = told;
  const because = refused.find((event) => event.rule === rule.rule);
  if (because) return paint('bad', `it refused the ${because.direction} (${because.code})`);
  if (!rule.selected) return 'it did not act: its selector does not fit who asks';
  if (rule.when?.result === 'false') return 'it did not act: its condition is false';
  if (rule.when?.result === 'error')
    return paint('bad', `its condition failed, and onError is ${rule.onError}`);
  if (rule.exemptBy !== null) return `it did not act: ${rule.exemptBy} lifts it`;
  if (added.length > 0) return 'it added its text';
  const before = refused[0];
  const stopped = before ? `; the exchange was refused first (${before.rule ?? before.code})` : '';
  if (rule.acts === 'standing') return standing(rule, stopped);
  if (reads.length === 0) return `it did not act: nothing that it inspects was read${stopped}`;
  if (matches.length === 0) return `it did not act: it read and found nothing${stopped}`;
  const kinds = new Map<string, number>();
  for (const match of matches) {
    const effect = match.effect === 'replace' ? 'replaced' : effectOf(match);
    kinds.set(effect, (kinds.get(effect) ?? 0) + 1);
  }
  const counted = [...kinds]
    .map(([effect, count]) => (matches.length === 1 ? effect : `${count} ${effect}`))
    .join(', ');
  const times = matches.length === 1 ? 'once' : `${matches.length} times`;
  return `it matched ${times}: ${counted}${rule.action === 'block' ? stopped : ''}`;
}

function standing(rule: RuleEvent, stopped: string): string {
  if (rule.enforcement === 'shadow') return `it would ${rule.action}; in shadow nothing is done`;
  const what = {
    allow: 'it lifts what has lower priority in its layer, and what is overridable above',
    flag: 'it flagged the exchange',
    append: 'its text is added to answers',
    inject: 'its words are added to those of the system',
    route: 'it sends the request elsewhere',
    throttle: 'it counts the request, which is within its rate',
  }[rule.action];
  return what ?? `it holds, and did nothing more${stopped}`;
}
