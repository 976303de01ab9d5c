/** What one exchange tells about itself, looked up where it stands when somebody asks. */
import { apiAt } from '../formats/detect.ts';
import type { Conditions, Facts } from '../policy/set.ts';
import type { Claims, Surroundings } from '../policy/surroundings.ts';
import type { HeadersEvent, ProcessPort, StructObject, StructValue } from '../protocol/process.ts';
import { claimsOf, DEFAULT_CLAIMS, type FactContext, sourceIpOf, takenOver } from './facts.ts';
import type { EngineDeps } from './ports.ts';

/** Who asks for what. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
}

export class ExchangeFacts implements FactContext {
  readonly bodyModel: string | undefined;
  private readonly port: ProcessPort;
  private readonly headers: HeadersEvent | undefined;
  private readonly asked: Asked;
  /** What Check has handed over. */
  private readonly taken: Pick<FactContext, 'contextExtension' | 'peer'> | undefined;

  constructor(
    port: ProcessPort,
    headers: HeadersEvent | undefined,
    asked: Asked,
    handedOver: StructValue | undefined,
    bodyModel: string | undefined,
  ) {
    this.port = port;
    this.headers = headers;
    this.asked = asked;
    this.taken = handedOver === undefined ? undefined : takenOver(handedOver);
    this.bodyModel = bodyModel;
  }

  get path(): string {
    return this.asked.path;
  }

  get authority(): string {
    return this.asked.authority;
  }

  grpcMetadata(name: string): string | undefined {
    return this.port.initialMetadata(name);
  }

  contextExtension(name: string): string | undefined {
    return this.taken?.contextExtension(name);
  }

  peer(): string | undefined {
    return this.taken?.peer();
  }

  metadata(namespace: string): StructObject | undefined {
    return this.headers?.metadata(namespace);
  }

  attribute(name: string): StructValue | undefined {
    return this.headers?.attribute(name);
  }

  header(name: string): string | undefined {
    return this.headers?.headers.get(name);
  }
}

/** Conditions name little of all this: nothing is read before. */
export class ExchangeConditions implements Conditions {
  readonly facts: Facts;
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly route: string;
  readonly nowMs: number;
  readonly surroundings: Surroundings | undefined;
  private readonly deps: EngineDeps;
  private readonly context: FactContext;
  private trusted: Readonly<Record<string, string>> | undefined;

  constructor(
    deps: EngineDeps,
    context: FactContext,
    facts: Facts,
    { method, path, authority }: Asked,
    route: string,
    surroundings: Surroundings | undefined,
  ) {
    this.deps = deps;
    this.context = context;
    this.facts = facts;
    this.method = method;
    this.path = path;
    this.authority = authority;
    this.route = route;
    this.nowMs = deps.clock.nowMs();
    this.surroundings = surroundings;
  }

  get api(): string | undefined {
    return apiAt(this.path, this.deps.formats).api;
  }

  get headers(): Readonly<Record<string, string>> {
    return (this.trusted ??= trustedOf(this.deps.trustedHeaders, this.context));
  }

  get sourceIp(): string | undefined {
    return sourceIpOf(this.context.attribute('source.address')).sourceIp;
  }

  get claims(): Claims | undefined {
    return claimsOf(this.deps.claims ?? DEFAULT_CLAIMS, this.context);
  }
}

/** Of the headers those that conditions may believe. */
export function trustedOf(
  names: readonly string[],
  context: FactContext,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const name of names) {
    const value = context.header(name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}
