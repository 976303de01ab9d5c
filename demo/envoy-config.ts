/** Renders `envoy/switchyard.yaml` with other addresses; everything else stays as it is shipped. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Document, isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { projectDirectory } from './project.ts';

const FILE_LOG = 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog';

/** Where something listens: a port on the loopback address, or the path of a Unix socket. */
export type Endpoint = { readonly port: number } | { readonly socketPath: string };

export interface EnvoyAddresses {
  /** Port that clients use; 0 lets Envoy pick one. */
  readonly listenPort: number;
  readonly adminPort: number;
  /** One or more replicas of the policy server. */
  readonly switchyard: readonly Endpoint[];
  readonly upstream: Endpoint;
  /** File of the access log; stdout unless told. */
  readonly accessLog?: string;
}

/** The shipped configuration as text. */
export function readShippedConfig(): Promise<string> {
  return readFile(join(projectDirectory, 'envoy', 'switchyard.yaml'), 'utf8');
}

function addressOf(endpoint: Endpoint): object {
  return 'port' in endpoint
    ? { socket_address: { address: '127.0.0.1', port_value: endpoint.port } }
    : { pipe: { path: endpoint.socketPath } };
}

function named(document: Document, path: readonly string[], name: string): YAMLMap {
  const list = document.getIn(path);
  const found = isSeq(list)
    ? list.items.find((item) => isMap(item) && item.get('name') === name)
    : undefined;
  if (!isMap(found))
    throw new Error(`the Envoy configuration has no \`${name}\` in ${path.join('.')}`);
  return found;
}

/**
 * The configuration `text` with these addresses. `adapt` may change the document further, as tests do.
 * Throws when a listener or cluster that has an address is not there.
 */
export function renderEnvoyConfig(
  text: string,
  addresses: EnvoyAddresses,
  adapt: (document: Document) => void = () => undefined,
): string {
  const source = parseDocument(text);
  if (source.errors[0] !== undefined) throw source.errors[0];
  // Written out in full: `adapt` may remove what another place is an alias of.
  const document = new Document(source.toJS(), { aliasDuplicateObjects: false });
  const set = (map: YAMLMap, path: readonly (string | number)[], value: unknown): void =>
    map.setIn(path, document.createNode(value));
  document.setIn(
    ['admin', 'address'],
    document.createNode(addressOf({ port: addresses.adminPort })),
  );
  const listener = named(document, ['static_resources', 'listeners'], 'ai');
  set(listener, ['address'], addressOf({ port: addresses.listenPort }));
  const logger = ['filter_chains', 0, 'filters', 0, 'typed_config', 'access_log', 0];
  if (addresses.accessLog !== undefined) {
    set(listener, [...logger, 'name'], 'envoy.access_loggers.file');
    set(listener, [...logger, 'typed_config', '@type'], FILE_LOG);
    set(listener, [...logger, 'typed_config', 'path'], addresses.accessLog);
  }
  const clusters: readonly (readonly [string, readonly Endpoint[]])[] = [
    ['llm', [addresses.upstream]],
    ['switchyard', addresses.switchyard],
  ];
  for (const [name, endpoints] of clusters)
    set(
      named(document, ['static_resources', 'clusters'], name),
      ['load_assignment', 'endpoints'],
      [
        {
          lb_endpoints: endpoints.map((endpoint) => ({
            endpoint: { address: addressOf(endpoint) },
          })),
        },
      ],
    );
  adapt(document);
  return document.toString();
}
