/** The ways that a request can take: through Envoy alone, and through Envoy and Switchyard with two sets. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Document, isSeq } from 'yaml';
import { projectDirectory } from '../demo/project.ts';
import { type Envoy, startEnvoy, startSwitchyard } from '../test/envoy/harness.ts';
import { BUFFERED_PREFIX } from './shapes.ts';

export interface Way {
  readonly name: string;
  readonly port: number;
  readonly envoyPid: number;
  /** Undefined where nobody is asked. */
  readonly switchyardPid: number | undefined;
  /** It has a policy against what is forbidden. */
  readonly refuses: boolean;
  stop(): Promise<void>;
}

const MANAGER = ['static_resources', 'listeners', 0, 'filter_chains', 0, 'filters', 0] as const;
const FILTERS = [...MANAGER, 'typed_config', 'http_filters'] as const;
const ROUTES = [
  ...[...MANAGER, 'typed_config', 'route_config', 'virtual_hosts', 0],
  'routes',
] as const;
const PER_ROUTE = 'type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute';

/** A route whose bodies come whole; everything else is as it is shipped. */
function addBufferedRoute(document: Document): void {
  const routes = document.getIn(ROUTES);
  if (!isSeq(routes)) throw new Error('the Envoy configuration has no routes');
  const bodies = { request_body_mode: 'BUFFERED', response_body_mode: 'BUFFERED' };
  const headers = { request_header_mode: 'SEND', response_header_mode: 'SEND' };
  const trailers = { request_trailer_mode: 'SKIP', response_trailer_mode: 'SKIP' };
  const switchyard = {
    '@type': PER_ROUTE,
    overrides: { processing_mode: { ...headers, ...bodies, ...trailers } },
  };
  routes.items.unshift(
    document.createNode({
      name: 'buffered',
      match: { prefix: BUFFERED_PREFIX },
      route: { cluster: 'llm', prefix_rewrite: '/', timeout: '0s' },
      typed_per_filter_config: { switchyard },
    }),
  );
}

/** The same Envoy, asking nobody. */
function askNobody(document: Document): void {
  addBufferedRoute(document);
  const filters = document.getIn(FILTERS);
  if (!isSeq(filters)) throw new Error('the Envoy configuration has no filters');
  document.setIn(FILTERS, document.createNode([filters.items.at(-1)]));
}

export async function envoyAlone(upstreamPort: number): Promise<Way> {
  const envoy: Envoy = await startEnvoy({
    switchyard: [{ port: 1 }],
    upstream: { port: upstreamPort },
    adapt: askNobody,
  });
  const { port, pid: envoyPid, stop } = envoy;
  return { name: 'Envoy alone', port, envoyPid, switchyardPid: undefined, refuses: false, stop };
}

export interface ThroughSwitchyard {
  readonly name: string;
  readonly policies: Readonly<Record<string, string>>;
  /** Program to run in place of `src/main.ts`. */
  readonly program?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

export async function throughSwitchyard(
  upstreamPort: number,
  { name, ...options }: ThroughSwitchyard,
): Promise<Way> {
  const switchyard = await startSwitchyard(options);
  try {
    const envoy = await startEnvoy({
      switchyard: [{ port: switchyard.grpcPort }],
      upstream: { port: upstreamPort },
      adapt: addBufferedRoute,
    });
    return {
      name,
      port: envoy.port,
      envoyPid: envoy.pid,
      switchyardPid: switchyard.pid,
      refuses: options.policies !== NOTHING_APPLIES,
      stop: async () => {
        await envoy.stop();
        await switchyard.stop();
      },
    };
  } catch (error) {
    await switchyard.stop();
    throw error;
  }
}

const SHIPPED = ['platform-security.yaml', 'platform-conduct.yaml'];

/** The policies of this project, by file name. */
export async function shippedPolicies(): Promise<Readonly<Record<string, string>>> {
  const texts = SHIPPED.map(async (file) => {
    const text = await readFile(join(projectDirectory, 'policies', file), 'utf8');
    return [file, text] as const;
  });
  return Object.fromEntries(await Promise.all(texts));
}

/** A set of which no rule is for this traffic: what is left is the price of asking. */
export const NOTHING_APPLIES: Readonly<Record<string, string>> = {
  'nobody.yaml': `apiVersion: switchyard/v1
kind: Policy
metadata: { name: nobody, layer: tenant, selector: { tenant: nobody } }
class: security
rules:
  - id: never
    inspect: [request, response]
    match: { keywords: { words: [never] } }
    then: block
`,
};
