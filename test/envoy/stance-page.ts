/** Renders the table as `docs/reference/stances.md`. */
import type { Direction } from '../../src/policy/set.ts';
import {
  ABSENT,
  ACTIONS,
  DEADLINES,
  FAULTS,
  type Fault,
  MODES,
  OUTCOMES,
  type OutcomeName,
  type Row,
  stanceRows,
  THROWS,
} from './stance-table.ts';

const HEAD = `# What happens when

An exchange, a rule that concerns it, and a fault. This page is rendered from \`test/envoy/stance-table.ts\`,
and every line of it is executed through a real Envoy by \`npx mocha test/envoy/stance.test.ts\`
(\`WRITE_REFERENCE=1\` writes the page anew). The law behind it: security and regulatory rules that cannot
do their work refuse the exchange, operational ones let it pass and say so in the record; and an exchange
is never passed unjudged in silence.
`;

/** The whole page. */
export function stancePage(): string {
  return [
    HEAD,
    '## Outcomes\n',
    table(
      ['outcome', 'HTTP status', 'verdict and code of the record', 'meaning'],
      (Object.keys(OUTCOMES) as readonly OutcomeName[]).map((name) => [
        `\`${name}\``,
        `${OUTCOMES[name].status}${OUTCOMES[name].complete ? '' : ', broken off'}`,
        `\`${OUTCOMES[name].decided}\`${OUTCOMES[name].degraded ? ', degraded' : ''}`,
        OUTCOMES[name].means,
      ]),
    ),
    ...(['request', 'response'] as const).map(bodies),
    '## Something throws inside Switchyard\n',
    'Whatever the class: the record says `unavailable internal_error`, and nothing goes on unjudged.\n',
    table(
      ['where', 'mode of that direction', 'the client gets'],
      THROWS.map(({ phase, mode, expect }) => [phase, `\`${mode}\``, expect.means]),
    ),
    '## Switchyard is not there\n',
    table(
      ['route', 'mode of the request', 'the client gets'],
      ABSENT.map(({ stance, mode, expect }) => [stance, `\`${mode}\``, expect.means]),
    ),
    '## Somebody falls silent\n',
    'Nothing in Envoy times a FULL_DUPLEX phase; Switchyard does, and only while it holds something.\n',
    table(
      ['who, and when', 'HTTP status', 'verdict and code of the record'],
      DEADLINES.map(({ name, status, decided }) => [name, String(status), `\`${decided}\``]),
    ),
    '## A server that stops\n',
    STOPPING,
  ].join('\n');
}

/** Tried by `graceful-end.test.ts`. */
const STOPPING = `SIGTERM: \`/readyz\` and gRPC health say no, \`grpc.drainMs\` later no more connections are taken, and open exchanges have \`grpc.drainDeadlineMs\` to end (HTTP/2: GOAWAY, with \`fast\` in its two steps). Whatever is open then ends as the class says: where an enforcing rule of security or regulation still has to judge the request or the rest of an answer, what is held is dropped and the exchange is refused with \`draining\`: 503 as long as nothing has left, else a last event in the format's words. All others, of operational rules or none, go on, judged as before, for at most \`grpc.drainRestMs\`, as nobody is to be kept from them; what lasts longer still ends with an error status of gRPC, and the client sees the answer break off, never end as if it were whole. A request that only operational rules would have read leaves unread. On a route that stays open, outside of FULL_DUPLEX_STREAMED, nothing goes on: an error status at once, and Envoy passes the rest by itself. An exchange in the middle of a slice of judging ends like these when that slice is over, and nothing that was held leaves. The process exits with 0, as soon as no exchange is open.
`;

function bodies(direction: Direction): string {
  const rows = stanceRows().filter((row) => row.direction === direction);
  const faults = [...new Set(rows.map((row) => row.fault))];
  return [
    `## The body of the ${direction}\n`,
    ...faults.map((fault) =>
      ofFault(
        fault,
        rows.filter((row) => row.fault === fault),
      ),
    ),
  ].join('\n');
}

function ofFault(fault: Fault, rows: readonly Row[]): string {
  const lines = MODES.flatMap((mode) =>
    ACTIONS.map((action) => {
      const of = (policyClass: Row['policyClass']): string =>
        `\`${rows.find((row) => row.mode === mode && row.action === action && row.policyClass === policyClass)?.expect ?? ''}\``;
      return [`\`${mode}\``, action, of('security'), of('regulatory'), of('operational')];
    }),
  );
  return [
    `### \`${fault}\`\n`,
    `${FAULTS[fault]}\n`,
    table(['mode', 'action', 'security', 'regulatory', 'operational'], lines),
  ].join('\n');
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const all = [head, ...lines];
  const widths = head.map((_, column) =>
    Math.max(...all.map((line) => (line[column] ?? '').length)),
  );
  const shown = (line: readonly string[]): string =>
    `| ${widths.map((width, column) => (line[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return `${[shown(head), rule, ...lines.map(shown)].join('\n')}\n`;
}
