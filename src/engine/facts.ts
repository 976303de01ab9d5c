/**
 * Who is asking (SEMANTICS §3): each fact has an ordered list of sources, the first that knows it wins.
 * A client header counts only where the operator listed it as trusted.
 */

import type { FactName, Facts } from '../policy/set.ts';
import type { Claims } from '../policy/surroundings.ts';
import type { StructObject, StructValue } from '../protocol/process.ts';

export type FactSource =
  /** Per-route gRPC initial metadata of the ext_proc call. */
  | { readonly from: 'grpcMetadata'; readonly name: string }
  /** Per-route `context_extensions` of the ext_authz filter; Check hands them on to Process. */
  | { readonly from: 'contextExtension'; readonly name: string }
  /** Dynamic metadata of another filter, e.g. verified JWT claims. Never read in Check: in Istio CUSTOM
   * authorization runs before JWT validation. */
  | { readonly from: 'metadata'; readonly namespace: string; readonly path: readonly string[] }
  /** An Envoy attribute, e.g. `connection.uri_san_peer_certificate`. */
  | { readonly from: 'attribute'; readonly name: string }
  /** Subject of the client certificate as ext_authz reports it; Check hands it on to Process. */
  | { readonly from: 'peer' }
  /** The `model` member of the request body. */
  | { readonly from: 'body' }
  | {
      readonly from: 'map';
      readonly entries: readonly {
        readonly authority?: string;
        readonly pathPrefix?: string;
        readonly value: string;
      }[];
    }
  /** A client header that a trusted hop sets or strips. */
  | { readonly from: 'header'; readonly name: string; readonly trusted: true };

/** Where verified claims stand: the first object that is there counts. */
export type ClaimSource = Extract<FactSource, { readonly from: 'metadata' }>;

/** Where Envoy's own filter puts them, with `payload_in_metadata: jwt_payload`, and where Istio does. */
export const DEFAULT_CLAIMS: readonly ClaimSource[] = Object.freeze(
  ['jwt_payload', 'payload'].map(
    (key): ClaimSource => ({
      from: 'metadata',
      namespace: 'envoy.filters.http.jwt_authn',
      path: [key],
    }),
  ),
);

export type FactConfig = Readonly<Partial<Record<FactName, readonly FactSource[]>>>;

/** Where facts are looked up in one call. */
export interface FactContext {
  grpcMetadata(name: string): string | undefined;
  contextExtension(name: string): string | undefined;
  metadata(namespace: string): StructObject | undefined;
  attribute(name: string): StructValue | undefined;
  peer(): string | undefined;
  header(name: string): string | undefined;
  readonly bodyModel: string | undefined;
  readonly authority: string;
  readonly path: string;
}

export const DEFAULT_FACTS: FactConfig = Object.freeze({
  tenant: [
    { from: 'grpcMetadata', name: 'x-switchyard-tenant' },
    { from: 'contextExtension', name: 'tenant' },
  ],
  app: [
    { from: 'grpcMetadata', name: 'x-switchyard-app' },
    { from: 'contextExtension', name: 'app' },
  ],
  model: [{ from: 'body' }],
  principal: [{ from: 'attribute', name: 'connection.uri_san_peer_certificate' }, { from: 'peer' }],
  region: [
    { from: 'grpcMetadata', name: 'x-switchyard-region' },
    { from: 'contextExtension', name: 'region' },
  ],
  // A session header says which requests belong together, not who asks; cohorts are keyed, so that
  // choosing its value does not choose the cohort.
  session: [{ from: 'header', name: 'x-session-id', trusted: true }],
} satisfies FactConfig);

/** Longest fact value: longer ones are no fact, as nobody's selector or session is meant by them. */
export const FACT_UNITS_MAX = 256;

export interface SourcedFact {
  readonly value: string;
  readonly source: FactSource;
}

/**
 * Whether the client writes the value: a header, the body, or an attribute that repeats what it sent. Such
 * values are content where they are recorded (invariant 9).
 */
export function isChosenByClient(source: FactSource): boolean {
  if (source.from === 'attribute') {
    return source.name.startsWith('request.') || source.name === REQUESTED_SERVER_NAME;
  }
  return source.from === 'header' || source.from === 'body';
}

/** The name asked for in the TLS hello (SNI). */
const REQUESTED_SERVER_NAME = 'connection.requested_server_name';

/** Looks one fact up. Cost: its sources, in order. */
export function lookUp(
  sources: readonly FactSource[] | undefined,
  context: FactContext,
): SourcedFact | undefined {
  for (const source of sources ?? []) {
    const value = read(source, context)?.trim();
    if (value && value.length <= FACT_UNITS_MAX) return { value, source };
  }
  return undefined;
}

export function factsOf(config: FactConfig, context: FactContext): Facts {
  const facts: Partial<Record<FactName, string>> = {};
  for (const name of Object.keys(config) as FactName[]) {
    const fact = lookUp(config[name], context);
    if (fact) facts[name] = fact.value;
  }
  return facts;
}

/** The claims that are there; empty when nobody has verified any. Cost: its sources, in order. */
export function claimsOf(sources: readonly ClaimSource[], context: FactContext): Claims {
  for (const { namespace, path } of sources) {
    const found = descend(context.metadata(namespace), path);
    if (isObject(found)) return found;
  }
  return NO_CLAIMS;
}

const NO_CLAIMS: Claims = Object.freeze({});

/** `192.0.2.1:4711` and `[2001:db8::1]:4711` → the address, without the zone of a link-local one; nothing for anything else, as a path of a socket. */
export function sourceIpOf(address: StructValue | undefined): { readonly sourceIp?: string } {
  if (typeof address !== 'string') return {};
  const [, v6, v4] = /^(?:\[([0-9a-f:.]+)(?:%\w+)?\]|([0-9.]+))(?::\d+)?$/iu.exec(address) ?? [];
  const sourceIp = v6 ?? v4;
  return sourceIp === undefined ? {} : { sourceIp };
}

/** What Check alone is told, for Process (SEMANTICS §2); undefined when no source asks for any of it. */
export function handedOver(config: FactConfig, context: FactContext): StructObject | undefined {
  const extensions: Record<string, string> = {};
  let peer: string | undefined;
  for (const source of Object.values(config).flat()) {
    // A peer that nobody named is handed over by nobody: Envoy keeps 64 KiB of all this for another try.
    if (source.from === 'peer') peer = context.peer() || undefined;
    if (source.from !== 'contextExtension') continue;
    const value = context.contextExtension(source.name);
    if (value !== undefined) extensions[source.name] = value;
  }
  if (peer === undefined && Object.keys(extensions).length === 0) return undefined;
  return { extensions, ...(peer !== undefined && { peer }) };
}

/** What Check has handed over, as a context asks for it; `facts` is a value of its metadata. */
export function takenOver(
  facts: StructValue | undefined,
): Pick<FactContext, 'contextExtension' | 'peer'> {
  const extensions = descend(facts, ['extensions']);
  return {
    contextExtension: (name) => text(descend(extensions, [name])),
    peer: () => text(descend(facts, ['peer'])),
  };
}

/** Names the source in a session key, so that equal values of two sources are two sessions. */
export function sourceName(source: FactSource): string {
  switch (source.from) {
    case 'grpcMetadata':
    case 'contextExtension':
    case 'attribute':
    case 'header':
      return `${source.from}:${source.name}`;
    case 'metadata':
      return `metadata:${source.namespace}.${source.path.join('.')}`;
    default:
      return source.from;
  }
}

function read(source: FactSource, context: FactContext): string | undefined {
  switch (source.from) {
    case 'grpcMetadata':
      return context.grpcMetadata(source.name);
    case 'contextExtension':
      return context.contextExtension(source.name);
    case 'metadata':
      return text(descend(context.metadata(source.namespace), source.path));
    case 'attribute':
      return text(context.attribute(source.name));
    case 'peer':
      return context.peer();
    case 'body':
      return context.bodyModel;
    case 'header':
      return context.header(source.name);
    case 'map':
      return source.entries.find(
        (entry) =>
          (entry.authority === undefined || entry.authority === context.authority) &&
          (entry.pathPrefix === undefined || context.path.startsWith(entry.pathPrefix)),
      )?.value;
  }
}

function descend(value: StructValue | undefined, path: readonly string[]): StructValue | undefined {
  let at = value;
  for (const key of path) {
    if (!isObject(at)) return undefined;
    at = Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return at;
}

const isObject = (value: StructValue | undefined): value is StructObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function text(value: StructValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
