/** An Envoy for the bench: a route for each kind of exchange, and nothing else that costs. */
import { EQUAL_RULE_PATH } from './equal-rule.ts';

export const ENVOY_PATHS = {
  alone: '/alone',
  headers: '/headers',
  check: EQUAL_RULE_PATH,
  json: '/json',
  duplex: '/duplex',
} as const;
export type EnvoyCase = keyof typeof ENVOY_PATHS;

const PER_ROUTE = 'type.googleapis.com/envoy.extensions.filters.http';

function processing(bodies: 'NONE' | 'BUFFERED' | 'FULL_DUPLEX_STREAMED'): string {
  // Envoy wants trailers, too, where it streams both ways at once.
  const trailers = bodies === 'FULL_DUPLEX_STREAMED' ? 'SEND' : 'SKIP';
  return `{ request_header_mode: SEND, response_header_mode: SEND, request_body_mode: ${bodies}, response_body_mode: ${bodies}, request_trailer_mode: ${trailers}, response_trailer_mode: ${trailers} }`;
}

function route(name: EnvoyCase): string {
  const noCheck = `envoy.filters.http.ext_authz: { "@type": ${PER_ROUTE}.ext_authz.v3.ExtAuthzPerRoute, disabled: true }`;
  const noProcess = `switchyard: { "@type": ${PER_ROUTE}.ext_proc.v3.ExtProcPerRoute, disabled: true }`;
  const bodies = (mode: 'BUFFERED' | 'FULL_DUPLEX_STREAMED'): string =>
    `switchyard: { "@type": ${PER_ROUTE}.ext_proc.v3.ExtProcPerRoute, overrides: { processing_mode: ${processing(mode)} } }`;
  const filters = {
    alone: [noCheck, noProcess],
    headers: [noCheck],
    check: [noProcess],
    json: [noCheck, bodies('BUFFERED')],
    duplex: [noCheck, bodies('FULL_DUPLEX_STREAMED')],
  }[name];
  return `
                        - match: { path: ${ENVOY_PATHS[name]} }
                          route: { cluster: llm }
                          typed_per_filter_config: { ${filters.join(', ')} }`;
}

/** `startEnvoy` puts the addresses in. `graceful`: streams are half-closed and not reset (guard `resetTrap`). */
export const envoyBenchConfig = (graceful: boolean): string => `
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }
layered_runtime:
  layers:
    - name: static
      static_layer: { envoy.reloadable_features.ext_proc_graceful_grpc_close: ${graceful} }
grpc_async_client_manager_config: { max_cached_entry_idle_duration: 31536000s }
static_resources:
  listeners:
    - name: ai
      address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: ai
                access_log:
                  - name: envoy.access_loggers.file
                    # Nothing is written of what went well.
                    filter: { status_code_filter: { comparison: { op: GE, value: { default_value: 500, runtime_key: bench.logged } } } }
                    typed_config: { "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: /dev/null }
                route_config:
                  virtual_hosts:
                    - name: ai
                      domains: ["*"]
                      routes:${route('alone')}${route('headers')}${route('check')}${route('json')}${route('duplex')}
                http_filters:
                  - name: envoy.filters.http.ext_authz
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
                      transport_api_version: V3
                      grpc_service: { envoy_grpc: { cluster_name: switchyard }, timeout: 10s }
                  - name: switchyard
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
                      grpc_service: { envoy_grpc: { cluster_name: switchyard } }
                      message_timeout: 10s
                      processing_mode: ${processing('NONE')}
                  - name: envoy.filters.http.router
                    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
  clusters:
    - name: llm
      type: STATIC
      circuit_breakers: { thresholds: [{ max_connections: 2048, max_pending_requests: 2048, max_requests: 4096 }] }
      load_assignment: { cluster_name: llm, endpoints: [] }
    - name: switchyard
      type: STATIC
      circuit_breakers: { thresholds: [{ max_connections: 2048, max_pending_requests: 2048, max_requests: 4096 }] }
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: {} }
      load_assignment: { cluster_name: switchyard, endpoints: [] }
`;
