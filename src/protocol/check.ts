/** The seam between ext_authz and the engine: one request's headers in, allow or deny out. */
import type { HeaderView, StructObject } from './process.ts';

export interface CheckRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: HeaderView;
  /** `context_extensions` of the route: set by the operator, not by the client. */
  contextExtension(name: string): string | undefined;
  metadata(namespace: string): StructObject | undefined;
  /** Subject of the client certificate, when Envoy terminates mTLS. */
  readonly sourcePrincipal: string;
  /** Address that the request comes from, without its port; '' when Envoy does not tell. */
  readonly sourceIp: string;
  /** The body, or its beginning; empty where Envoy was not told to send it (`with_request_body`). */
  readonly body: Uint8Array;
}

export type CheckAnswer =
  | { readonly kind: 'allow'; readonly metadata: StructObject }
  | {
      readonly kind: 'deny';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly metadata: StructObject;
    };

/** Throws: the call is ended with an error status, never with a default message (which would allow). */
export type AnswerCheck = (
  request: CheckRequest,
  initialMetadata: (name: string) => string | undefined,
) => CheckAnswer;
