import assert from 'node:assert/strict';
import { boardText } from '../../grafana/board.ts';
import { panelQueries, ROWS } from '../../grafana/panels.ts';
import { METRICS, type MetricEntry } from '../../src/telemetry/metric-table.ts';
import { readProjectFile } from '../house/project-files.ts';

/** Series name → its labels. */
const KNOWN = new Map<string, readonly string[]>();
for (const { name, type, labels } of Object.values<MetricEntry>(METRICS))
  if (type === 'histogram') KNOWN.set(`${name}_bucket`, [...labels, 'le']);
  else KNOWN.set(name, labels);

function metricsIn(expr: string): readonly string[] {
  return expr.match(/switchyard_\w+/g) ?? [];
}

/** Labels that a query groups by or selects. */
function labelsIn(expr: string): readonly string[] {
  const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap((found) =>
    (found[1] ?? '').split(/,\s*/),
  );
  const selected = [...expr.matchAll(/(\w+)\s*=~?"/g)].map((found) => found[1] ?? '');
  return [...grouped, ...selected];
}

describe('Grafana board', () => {
  it('is what the code makes: `npm run board` writes it', () => {
    assert.equal(readProjectFile('grafana/switchyard.json'), boardText());
  });

  it('asks only for metrics and labels that exist', () => {
    for (const { panel, expr } of panelQueries('1m')) {
      const metrics = metricsIn(expr);
      assert.ok(metrics.length > 0, panel);
      for (const metric of metrics) assert.ok(KNOWN.has(metric), `${panel}: ${metric}`);
      const known = metrics.flatMap((metric) => KNOWN.get(metric) ?? []);
      for (const label of labelsIn(expr)) assert.ok(known.includes(label), `${panel}: ${label}`);
    }
  });

  it('has panels with a title, a description and a query, each id once', () => {
    const { panels } = JSON.parse(boardText()) as {
      panels: {
        id: number;
        type: string;
        title: string;
        description?: string;
        targets?: unknown[];
      }[];
    };
    const ids = panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const shown = panels.filter(({ type }) => type !== 'row');
    assert.equal(shown.length, ROWS.flatMap((row) => row.panels).length);
    for (const { title, description, targets } of shown) {
      assert.ok(title.length > 0);
      assert.ok((description ?? '').length > 0, title);
      assert.ok((targets ?? []).length > 0, title);
    }
  });

  it('gives queries that need no Grafana', () => {
    for (const { expr } of panelQueries('1m')) assert.doesNotMatch(expr, /\$/);
  });
});
