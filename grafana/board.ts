/** The board of decisions and rollouts, built with Grafana's Foundation SDK from `panels.ts`. */
import { VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { type PanelSpec, ROWS } from './panels.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const SPAN: Readonly<Record<PanelSpec['kind'], number>> = { timeseries: 12, table: 12, stat: 6 };
const HEIGHT = 8;

type Builder = StatBuilder | TableBuilder | TimeseriesBuilder;

function emptyPanel(kind: PanelSpec['kind']): Builder {
  if (kind === 'stat') return new StatBuilder();
  if (kind === 'table') return new TableBuilder();
  return new TimeseriesBuilder().legend(new VizLegendOptionsBuilder().showLegend(true));
}

function panel(spec: PanelSpec, id: number): Builder {
  const builder = emptyPanel(spec.kind)
    .id(id)
    .title(spec.title)
    .description(spec.description)
    .unit(spec.unit)
    .span(SPAN[spec.kind])
    .height(HEIGHT)
    .datasource(DATASOURCE);
  for (const [index, { expr, legend }] of spec.queries.entries()) {
    const query = new DataqueryBuilder().expr(expr).legendFormat(legend);
    // One letter a query, as Grafana itself names them.
    query.refId(String.fromCharCode(65 + index));
    if (spec.kind === 'table') query.instant().format(PromQueryFormat.Table);
    builder.withTarget(query);
  }
  return builder;
}

/** The board, as Grafana imports it. */
export function board(): Dashboard {
  const builder = new DashboardBuilder('Switchyard: decisions and rollouts')
    .uid('switchyard')
    .tags(['switchyard', 'envoy', 'policy'])
    .refresh('10s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .readonly()
    .withVariable(
      new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    );
  let id = 1;
  for (const row of ROWS) {
    builder.withRow(new RowBuilder(row.title).id(id++));
    for (const spec of row.panels) builder.withPanel(panel(spec, id++));
  }
  return builder.build();
}

/** The text of `switchyard.json`. */
export function boardText(): string {
  return `${JSON.stringify(board(), null, 2)}\n`;
}
