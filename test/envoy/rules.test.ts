/** Every row of `docs/rules.md` through a real Envoy. */
import assert from 'node:assert/strict';
import { startClassifier, type TestClassifier } from '../classifiers/classifier.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { eventually } from './operator.ts';
import { cellsOf, notServed, policyOf } from './rules/cells.ts';
import { ACTIONS, type Example, KINDS, nameOf, RESTRICTIONS } from './rules/examples.ts';
import { runCell } from './rules/run.ts';
import { JSON_ROUTE } from './rules/wires.ts';
import { writtenRecords } from './written-records.ts';

const EXAMPLES: readonly Example[] = [...KINDS, ...ACTIONS, ...RESTRICTIONS];
const SERVED = EXAMPLES.filter((example) => notServed(example) === undefined);

const config = (classifierPort: number): string => `facts:
  app: [{ from: header, name: x-app, trusted: true }]
  session: [{ from: header, name: x-session, trusted: true }]
  model: [{ from: body }]
formats: [{ path: ${JSON_ROUTE}, format: json }]
classifiers: [{ name: toxicity, url: 'http://127.0.0.1:${classifierPort}/classify', deadlineMs: 10000 }]
`;

/** Rows that run beside each other. */
const LANES = 8;

/** Records of exchanges in which a rule of the example came to act. */
const recordsOf = ({ switchyard }: Stack, name: string): number =>
  writtenRecords(switchyard.dataDirectory).decisions.filter(
    ({ facts, findings }) =>
      facts.app === name && findings.some(({ rule }) => rule.startsWith(`${name}/`)),
  ).length;

describe('every row of the table of rules through Envoy', function () {
  this.timeout(120_000);
  let stack: Stack;
  let classifier: TestClassifier;

  before(async function () {
    requireEnvoy(this);
    classifier = await startClassifier();
    stack = await startStack({
      policies: Object.fromEntries(SERVED.map((one) => [`${nameOf(one)}.yaml`, policyOf(one)])),
      config: config(classifier.port),
    });
  });

  after(async () => {
    await stack?.stop();
    await classifier?.stop();
  });

  for (const example of SERVED) {
    it(nameOf(example), async () => {
      const rows = cellsOf(example).filter(({ what }) => 'outcome' in what);
      const waiting = rows.values();
      const faults: string[] = [];
      const lane = async (): Promise<void> => {
        for (const cell of waiting) {
          const { wire, try: tried } = cell;
          await runCell(stack, cell, nameOf(example)).catch((error: Error) => {
            const row = [wire.format, wire.column, wire.variant ?? '', tried.content.has].join(' ');
            faults.push(`${row}: ${error.message}`);
          });
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      assert.equal(faults.join('\n'), '');
      const recorded = rows.filter(
        ({ what }) => 'outcome' in what && what.outcome.is === 'recorded',
      );
      // Exchanges that pass are written a moment later.
      await eventually(`${recorded.length} records that name the rule`, async () =>
        recordsOf(stack, nameOf(example)) >= recorded.length ? true : undefined,
      );
    });
  }
});
