/** Every evasion of the table, tried through Envoy: see `evasions-row.ts` for what a row says. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { CURES } from './evasions-cures.ts';
import { evasionsPage } from './evasions-page.ts';
import { type Evasion, VERDICTS } from './evasions-row.ts';
import {
  type EvasionStack,
  type Outcome,
  runEvasions,
  runName,
  startEvasionStack,
} from './evasions-run.ts';
import { BARE_APP, CURED_APP, cureRule, FAMILIES, GUARDED_APP } from './evasions-table.ts';
import { requireEnvoy } from './harness.ts';
import { eventually } from './operator.ts';
import { metricOf } from './replicas.ts';
import { assertReconciled } from './stance-reconcile.ts';

const PAGE = new URL('../../docs/evasions.md', import.meta.url);
const ROWS = FAMILIES.flatMap((family) => family.rows);

describe('docs/evasions.md', () => {
  it('is the table that is executed', () => {
    const page = evasionsPage();
    if (process.env.WRITE_REFERENCE === '1') writeFileSync(PAGE, page);
    assert.equal(readFileSync(PAGE, 'utf8'), page);
  });

  it('has every row once, and cures only for what is not seen', () => {
    assert.equal(new Set(ROWS.map((row) => row.id)).size, ROWS.length);
    const unseen = ROWS.filter((row) => row.verdict === 'not seen').map((row) => row.id);
    assert.deepEqual(
      Object.keys(CURES).filter((id) => !unseen.includes(id)),
      [],
    );
  });
});

describe('an evasion through Envoy', function () {
  this.timeout(120_000);
  let stack: EvasionStack;
  let outcomes: ReadonlyMap<string, Outcome>;

  before(async function () {
    requireEnvoy(this);
    stack = await startEvasionStack(ROWS);
    outcomes = await runEvasions(stack, ROWS);
  });
  after(() => stack?.stop());

  const of = (row: Evasion, app: string): Outcome => {
    const outcome = outcomes.get(runName(row, app));
    assert.ok(outcome);
    return outcome;
  };

  for (const { title, rows } of FAMILIES)
    describe(title, () => {
      for (const row of rows)
        it(`${row.id}: ${row.verdict}`, async () => {
          if (VERDICTS[row.verdict].decided === undefined)
            await assertStopped(stack, row, of(row, GUARDED_APP));
          else {
            assertArrives(row, of(row, BARE_APP));
            assertVerdict(row, of(row, GUARDED_APP));
            if (CURES[row.id] !== undefined) assertCured(row, of(row, CURED_APP));
          }
        });
    });

  it('leaves one record for each, and nothing held', async () => {
    await assertReconciled(stack);
    await eventually('nothing open', async () => {
      const open = await metricOf(stack.switchyard, 'switchyard_open_streams');
      const held = await metricOf(stack.switchyard, 'switchyard_held_bytes');
      return (open === 0 && held === 0) || undefined;
    });
  });
});

/** Headers and trailers that the other side gets belong to what arrives. */
function arrived(row: Evasion, { answer, arrival }: Outcome): string {
  const read = (bytes: Buffer): string => row.reads?.(bytes) ?? bytes.toString('utf8');
  if (row.side === 'answer')
    return `${read(answer.bytes)}\n${JSON.stringify([answer.headers, answer.trailers])}`;
  if (arrival === undefined) return '';
  const { bytes, path, headers, trailers } = arrival;
  return `${read(bytes)}\n${JSON.stringify([path, headers, trailers])}`;
}

/** Where no rule is for it the attack succeeds, so that it is a rule that stops it. */
function assertArrives(row: Evasion, outcome: Outcome): void {
  assert.equal(`${outcome.record?.verdict} ${outcome.record?.code}`, bareVerdict(row));
  const seen = arrived(row, outcome);
  assert.ok(seen.includes(row.carries), `without a rule: ${seen.slice(0, 1_000)}`);
}

/** A stream that falls silent is given up by its client where nobody judges it. */
const bareVerdict = (row: Evasion): string =>
  row.reply?.stalls === true ? 'incomplete client_gone' : 'allow allowed';

function assertVerdict(row: Evasion, outcome: Outcome): void {
  const { decided, passes } = VERDICTS[row.verdict];
  const { answer, arrival, record } = outcome;
  const said = answer.text.slice(0, 1_000);
  assert.equal(`${record?.verdict} ${record?.code}`, decided, said);
  assert.equal(record?.degraded, false);
  if (row.status !== undefined) assert.equal(answer.status, row.status, said);
  assert.ok(answer.complete, answer.error);
  if (row.side === 'request' && passes === 'beginning') {
    assert.equal(arrival, undefined, 'nothing of a refused request arrives');
    return;
  }
  const seen = readable(row, answer.status) ? arrived(row, outcome) : answer.text;
  assert.equal(seen.includes(row.carries), passes === 'all', seen.slice(0, 1_000));
  if (row.leaves !== undefined) assert.ok(seen.includes(row.leaves), seen.slice(0, 1_000));
  if (passes === 'nothing' && row.side === 'request') assert.equal(arrival, undefined);
}

function assertCured(row: Evasion, { record }: Outcome): void {
  assert.equal(`${record?.verdict} ${record?.code}`, 'deny policy');
  const rules = record?.findings.map((finding) => finding.rule) ?? [];
  assert.ok(rules.includes(`cures/${cureRule(row.id)}`), rules.join());
}

/** A refusal is not written in the format of the answer in whose place it stands. */
const readable = (row: Evasion, status: number): boolean =>
  row.side === 'request' || status === (row.reply?.status ?? 200);

async function assertStopped(
  { envoy }: EvasionStack,
  row: Evasion,
  { answer, arrival, record }: Outcome,
): Promise<void> {
  assert.equal(record, undefined);
  assert.equal(arrival, undefined);
  const log = await envoy.accessLog();
  const entry = log.find((line) =>
    row.details === undefined
      ? line.row === runName(row, GUARDED_APP)
      : line.details === row.details && String(line.switchyard_bytes_sent) === '0',
  );
  assert.equal(entry?.status ?? answer.status, row.status);
}
