/** Renders the examples and what comes of them as `docs/rules.md`. */
import { type Cell, cellsOf, notServed } from './cells.ts';
import { ACTIONS, type Example, KINDS, type Outcome, RESTRICTIONS } from './examples.ts';
import { COLUMNS, type Content, WIRES } from './wires.ts';

type OutcomeName = Outcome['is'];

const OUTCOMES: Readonly<Record<OutcomeName, { readonly said: string; readonly means: string }>> = {
  changed: {
    said: 'changed',
    means:
      'it leaves with what the example says in its place, and every other byte of a document, every other word of a stream, as it was',
  },
  added: {
    said: 'added',
    means: 'the request arrives with what the rule adds, and all else as it was',
  },
  refused: {
    said: 'refused',
    means:
      'the client reads the message of the rule, as an error or at the end of the answer that had begun; a request does not arrive, of an answer nothing from the match on',
  },
  recorded: { said: 'recorded', means: 'every byte leaves, and the record names the rule' },
  untouched: { said: 'passes', means: 'every byte leaves' },
  throttled: {
    said: 'throttled',
    means: 'the first request passes, the second of the session is refused with 429',
  },
  'by class': {
    said: 'cannot',
    means:
      'the rule cannot do its work: one of class `security` or `regulatory` refuses (the note says with which [code](reference/errors.md)), one of class `operational` lets it pass with a record that is degraded',
  },
};

const HEAD = `# Rules

Every word that a rule may have, in every format, in both directions, as a document and in a stream. This page is
written by \`npm run docs:rules\` from the tables of the policy language and of the formats (\`src/policy\`,
\`src/formats/detect.ts\`), and every row with an outcome is executed through a real Envoy by
\`npx mocha test/envoy/rules.test.ts\`, twice: for the application that the rule is for, and for one that no rule is
for, where every byte must arrive as it was sent. Where there is nothing to execute the note says why.

An example is one of the \`rules\` of such a policy, of class \`security\` unless it says:

\`\`\`yaml
kind: Policy
metadata: { name: example, layer: app, selector: { app: example } }
class: security
rules:
  - …
\`\`\`

What stands in several deltas of a stream is cut every five characters, so that what is looked for never stands in one. Requests
are documents in every format; those of APIs that stream are sent twice, once asking for a stream. What each word
means is said by [detectors](reference/detectors.md), [actions](reference/actions.md) and the pages of
[PII](reference/pii.md), [secrets](reference/secrets.md), [invisible text](reference/invisible.md),
[injection](reference/injection.md), [topics](reference/topic.md) and [classifiers](reference/classifiers.md); what each format reads by
[formats](reference/formats.md).
`;

/** The whole page. */
export function rulesPage(): string {
  return [
    HEAD,
    '## What can come of it\n',
    table(
      ['in the tables', 'exchanges', 'meaning'],
      (Object.keys(OUTCOMES) as readonly OutcomeName[]).map((name) => [
        OUTCOMES[name].said,
        String(count(name)),
        OUTCOMES[name].means,
      ]),
    ),
    '## What there is\n',
    SHAPES,
    shapes(),
    '## What stands under `match`\n',
    ...KINDS.map(section),
    '## What stands under `then`\n',
    ...ACTIONS.map(section),
    '## What stands instead of both\n',
    ...RESTRICTIONS.map(section),
  ].join('\n');
}

const count = (name: OutcomeName): number =>
  [...KINDS, ...ACTIONS, ...RESTRICTIONS]
    .flatMap(cellsOf)
    .filter(({ what }) => 'outcome' in what && what.outcome.is === name).length;

const SHAPES = `What has no such body has a \`–\` in every table below.
`;

/** Whether a format has a request, a document and a stream at all. */
function shapes(): string {
  const formats = [...new Set(WIRES.map(({ format }) => format))];
  const lines = formats.map((format) => [
    `\`${format}\``,
    ...COLUMNS.map((column) => {
      const wires = WIRES.filter((wire) => wire.format === format && wire.column === column);
      const variants = wires.flatMap(({ variant }) => variant ?? []).map((one) => `also ${one}`);
      return wires[0]?.none ?? ['yes', ...variants].join(', ');
    }),
  ]);
  return table(['format', ...COLUMNS], lines);
}

function section(example: Example): string {
  const { word, variant } = example;
  const title = `### ${word}${variant === undefined ? '' : `, ${variant}`}\n`;
  const rules = `\`\`\`yaml\n${example.rules}\n\`\`\`\n`;
  const later = notServed(example);
  if (later !== undefined) return [title, rules, `Not yet: ${later}.\n`].join('\n');
  const notes: string[] = [];
  const mark = (note: string): string => {
    if (!notes.includes(note)) notes.push(note);
    return `<sup>${notes.indexOf(note) + 1}</sup>`;
  };
  const cells = cellsOf(example);
  const lines = new Map<string, string[]>();
  for (const format of new Set(WIRES.map((wire) => wire.format))) {
    const line = COLUMNS.map((column) =>
      cellText(
        cells.filter(({ wire }) => wire.format === format && wire.column === column),
        mark,
      ),
    );
    const key = JSON.stringify(line);
    lines.set(key, [...(lines.get(key) ?? []), `\`${format}\``]);
  }
  return [
    title,
    rules,
    ...example.tries.map(({ content, outcome }) => `* ${tryText(content, outcome)}`),
    '',
    table(
      ['format', ...COLUMNS],
      [...lines].map(([key, formats]) => [formats.join(', '), ...(JSON.parse(key) as string[])]),
    ),
    ...notes.map((note, index) => `${index + 1}. ${note}`),
    ...(notes.length === 0 ? [] : ['']),
  ].join('\n');
}

/** What of a body the cell is about, where an example has several. */
const PARTS: Readonly<Record<Content['has'], string>> = {
  words: 'words',
  definitions: 'offered',
  call: 'called',
  result: 'result',
  member: 'member',
};

function cellText(cells: readonly Cell[], mark: (note: string) => string): string {
  const said = new Map<string, string[]>();
  const several = new Set(cells.map((cell) => cell.try.content.has)).size > 1;
  for (const { wire, what, try: tried } of cells) {
    const none = wire.none === undefined ? '' : '–';
    const text = none || ('absent' in what ? `–${mark(what.absent)}` : outcomeText(what, mark));
    const part = PARTS[tried.content.has];
    const parts = said.get(text) ?? [];
    said.set(text, parts.includes(part) ? parts : [...parts, part]);
  }
  return [...said]
    .map(([text, parts]) => (several && said.size > 1 ? `${parts.join(', ')}: ${text}` : text))
    .join('; ');
}

function outcomeText(
  { outcome, why }: Extract<Cell['what'], { outcome: Outcome }>,
  mark: (note: string) => string,
): string {
  const { said } = OUTCOMES[outcome.is];
  const note = [outcome.is === 'by class' ? `\`${outcome.code}\`` : undefined, why]
    .filter((part) => part !== undefined)
    .join(': ');
  return note === '' ? said : `${said}${mark(note)}`;
}

function tryText(content: Content, outcome: Outcome): string {
  const subject = contentText(content);
  switch (outcome.is) {
    case 'changed':
      return `${subject} becomes ${contentText(outcome.to)}`;
    case 'added':
      return `${subject} gets ${outcome.to === 'model' ? 'the model' : 'the words of the system'} \`${outcome.value}\``;
    case 'refused':
    case 'throttled':
      return `${subject} is answered with \`${outcome.says}\``;
    case 'recorded':
      return `${subject} is recorded`;
    default:
      return `${subject} passes`;
  }
}

function contentText(content: Content): string {
  switch (content.has) {
    case 'words':
      return `\`${shown(content.text)}\``;
    case 'definitions':
      return `the offer of \`${content.names.join('`, `')}\``;
    case 'call':
      return `\`${content.name}(${JSON.stringify(content.input)})\``;
    case 'result':
      return `a result of \`${content.name}\` that a request recalls`;
    default:
      return `\`${content.name}: ${content.value}\``;
  }
}

/** What is not seen is written as its escape. */
const shown = (text: string): string =>
  text.replace(/[\n\p{Cf}]/gu, (unseen) =>
    unseen === '\n' ? '\\n' : `\\u{${unseen.codePointAt(0)!.toString(16)}}`,
  );

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n')}\n`;
}
