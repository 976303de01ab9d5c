/**
 * One Envoy with a route for every mode × direction × stance, made from the shipped configuration. Which
 * class and action are meant is told by the test's own headers: nothing here is a pattern for production.
 */
import type { Document } from 'yaml';
import type { Direction } from '../../src/policy/set.ts';
import { ACTIONS, CLASSES, MODES, type Mode } from './stance-table.ts';

/** Bytes that Envoy buffers of one body; the shipped configuration buffers more. */
export const BUFFER_BYTES = 65_536;

export type RouteStance = 'closed' | 'open';

export const EXT_PROC_PER_ROUTE =
  'type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute';
export const EXT_AUTHZ_PER_ROUTE =
  'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute';
const LISTENER = ['static_resources', 'listeners', 0] as const;
export const CONNECTION_MANAGER = [
  ...[...LISTENER, 'filter_chains', 0, 'filters', 0],
  'typed_config',
] as const;

/** Path on which a chat request meets `mode` in `direction` and nothing of the other body is shown. */
export function stancePath(stance: RouteStance, direction: Direction, mode: Mode): string {
  return `/${stance}/${direction}/${mode}/v1/chat/completions`;
}

/** Rows are found again by this header, which Envoy logs; the upstream's journal has it too. */
export const ROW_HEADER = 'x-test-row';

/** Adds the routes before the shipped ones. */
export function addStanceRoutes(document: Document): void {
  const routes = (['closed', 'open'] as const).flatMap((stance) =>
    (['request', 'response'] as const).flatMap((direction) =>
      MODES.map((mode) => route(stance, direction, mode)),
    ),
  );
  const list = [...CONNECTION_MANAGER, 'route_config', 'virtual_hosts', 0, 'routes'];
  for (const added of routes.toReversed())
    (document.getIn(list) as { items: unknown[] }).items.unshift(document.createNode(added));
  const log = [...CONNECTION_MANAGER, 'access_log', 0, 'typed_config', 'log_format', 'json_format'];
  document.setIn([...log, 'row'], `%REQ(${ROW_HEADER})%`);
}

/** Buffers so small that a body of a few hundred kilobytes passes them. */
export function shrinkBuffers(document: Document): void {
  document.setIn([...LISTENER, 'per_connection_buffer_limit_bytes'], BUFFER_BYTES);
  document.setIn(
    ['static_resources', 'clusters', 0, 'per_connection_buffer_limit_bytes'],
    BUFFER_BYTES,
  );
}

function route(stance: RouteStance, direction: Direction, mode: Mode): object {
  const trailers = mode === 'FULL_DUPLEX_STREAMED' ? 'SEND' : 'SKIP';
  const prefix = `/${stance}/${direction}/${mode}/`;
  return {
    name: `${stance}-${direction}-${mode}`,
    match: { prefix },
    route: { cluster: 'llm', prefix_rewrite: '/', timeout: '0s', idle_timeout: '60s' },
    typed_per_filter_config: {
      'envoy.filters.http.ext_authz': { '@type': EXT_AUTHZ_PER_ROUTE, disabled: true },
      switchyard: {
        '@type': EXT_PROC_PER_ROUTE,
        overrides: {
          failure_mode_allow: stance === 'open',
          processing_mode: {
            request_header_mode: 'SEND',
            response_header_mode: 'SEND',
            request_body_mode: direction === 'request' ? mode : 'NONE',
            response_body_mode: direction === 'response' ? mode : 'NONE',
            request_trailer_mode: direction === 'request' ? trailers : 'SKIP',
            response_trailer_mode: direction === 'response' ? trailers : 'SKIP',
          },
          grpc_initial_metadata: [
            { key: 'x-switchyard-tenant', value: '%REQ(x-test-class)%' },
            { key: 'x-switchyard-app', value: '%REQ(x-test-action)%' },
            { key: 'x-test-throw', value: '%REQ(x-test-throw)%' },
            ...(stance === 'open' ? [{ key: 'x-switchyard-stance', value: 'open' }] : []),
          ],
        },
      },
    },
  };
}

/** The word that every rule of the table is for. */
export const MATCHED_WORD = 'Zebra';

/** One policy for each class × action × direction, each reached by its own routes alone. */
export function stancePolicies(): Readonly<Record<string, string>> {
  const documents = CLASSES.flatMap((policyClass) =>
    ACTIONS.flatMap((action) =>
      (['request', 'response'] as const).map((direction) =>
        JSON.stringify({
          kind: 'Policy',
          metadata: {
            name: `${policyClass}-${action}-${direction}`,
            layer: 'platform',
            selector: { tenant: policyClass, app: `${action}-${direction}` },
          },
          class: policyClass,
          rules: [
            {
              id: `${policyClass}-${action}-${direction}`,
              inspect: [direction],
              match: { keywords: { words: [MATCHED_WORD] } },
              // biome-ignore lint/suspicious/noThenProperty: `then` is a word of the language
              then: action,
              ...(policyClass === 'regulatory' && {
                onError: 'deny',
                signedOffBy: 'test@switchyard.example',
              }),
            },
          ],
        }),
      ),
    ),
  );
  return { 'stances.yaml': documents.join('\n---\n') };
}
