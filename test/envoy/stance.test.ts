/** The table class × mode × fault, executed: see `stance-table.ts` for what is expected and why. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { JournalEntry } from '../../demo/upstream.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { addStanceRoutes, MATCHED_WORD, shrinkBuffers, stancePolicies } from './stance-envoy.ts';
import { stancePage } from './stance-page.ts';
import { assertReconciled } from './stance-reconcile.ts';
import { requestOf, type Witnessed, witness } from './stance-run.ts';
import { OUTCOMES, type Row, stanceRows } from './stance-table.ts';

const PAGE = new URL('../../docs/reference/stances.md', import.meta.url);

describe('docs/reference/stances.md', () => {
  it('is the table that is executed', () => {
    const page = stancePage();
    if (process.env.WRITE_REFERENCE === '1') writeFileSync(PAGE, page);
    assert.equal(readFileSync(PAGE, 'utf8'), page);
  });
});

const nameOf = (row: Row): string =>
  [row.direction, row.fault, row.mode, row.action, row.policyClass].join('.');

describe('every class × mode × fault through Envoy', function () {
  this.timeout(120_000);
  let stack: Stack;
  let seen: ReadonlyMap<string, Witnessed>;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({
      policies: stancePolicies(),
      adapt: (document) => {
        addStanceRoutes(document);
        shrinkBuffers(document);
      },
    });
    seen = await witness(
      stack,
      new Map(stanceRows().map((row) => [nameOf(row), requestOf(row)] as const)),
    );
  });
  after(() => stack?.stop());

  for (const row of stanceRows())
    it(`${nameOf(row)}: ${row.expect}`, () => {
      const witnessed = seen.get(nameOf(row));
      assert.ok(witnessed);
      assertOutcome(row, witnessed);
    });

  it('is recorded and counted exactly, and Envoy was told nothing that it did not wait for', () =>
    assertReconciled(stack));
});

function assertOutcome(row: Row, { answer, records, journal, log }: Witnessed): void {
  const expected = OUTCOMES[row.expect];
  const [record, ...more] = records;
  assert.deepEqual(
    {
      status: answer.status,
      complete: answer.complete,
      decided: `${record?.verdict} ${record?.code}`,
      degraded: record?.degraded,
      records: 1 + more.length,
    },
    {
      status: expected.status,
      complete: expected.complete,
      decided: expected.decided,
      degraded: expected.degraded,
      records: 1,
    },
    `${JSON.stringify(log)} ${answer.error} ${answer.text.slice(0, 500)}`,
  );
  assertBytes(row, answer.text, journal);
  const named = record?.findings.map((finding) => finding.rule) ?? [];
  if (row.expect === 'flagged') assert.equal(named.length, 1);
  if (row.expect === 'passes' || row.expect === 'degraded') assert.deepEqual(named, []);
}

/** What reached the other side: the client, or the provider. */
function assertBytes(row: Row, received: string, entry: JournalEntry | undefined): void {
  const word = new RegExp(MATCHED_WORD, 'u');
  const past = row.direction === 'request' ? (entry?.body ?? '') : received;
  switch (row.expect) {
    case 'changed':
      assert.match(past, /All about .*today/su);
      assert.doesNotMatch(past, word);
      return;
    case 'passes':
    case 'flagged':
    case 'degraded':
      // The journal decodes what it can; what it cannot has no text there.
      if (row.direction === 'request' && row.fault === 'broken_encoding') return;
      assert.match(
        past,
        row.fault === 'clean' ? /about horses today/u : /about .*Zeb.*ra.* today/su,
      );
      return;
    case 'refused_late':
      assert.equal(entry?.complete, false);
      return;
    case 'broken_off':
    case 'silenced':
      assert.doesNotMatch(past, /total_tokens|\[DONE\]/u);
      return;
    default:
      assert.doesNotMatch(past, word);
  }
}
