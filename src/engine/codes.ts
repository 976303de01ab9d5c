/**
 * The closed table of reasons an exchange ends for (docs/reference/errors.md, held by a test). A denial is
 * a verdict; everything `unavailable` is a failure that was not allowed to pass (invariant 4).
 */
export type DecisionCode =
  | 'allowed'
  | 'policy'
  | 'default_deny'
  | 'throttled'
  | 'rule_error'
  | 'breaker_open'
  | 'mode_cannot_enforce'
  | 'unreadable_body'
  | 'body_too_large'
  | 'held_bytes_exceeded'
  | 'matches_exceeded'
  | 'verdict_deadline'
  | 'no_policy_set'
  | 'overloaded'
  | 'draining'
  | 'internal_error'
  | 'local_reply'
  | 'client_gone';

export type RefusalCode = Exclude<DecisionCode, 'allowed' | 'local_reply' | 'client_gone'>;

export interface RefusalKind {
  readonly verdict: 'deny' | 'unavailable';
  /** HTTP status when nothing of an answer has left yet; `policy` takes it from the rule. */
  readonly status: { readonly request: number; readonly response: number };
  readonly message: string;
}

export const REFUSALS: Readonly<Record<RefusalCode, RefusalKind>> = Object.freeze({
  policy: {
    verdict: 'deny',
    status: { request: 400, response: 400 },
    message: 'This request was refused by policy.',
  },
  default_deny: {
    verdict: 'deny',
    status: { request: 403, response: 403 },
    message: 'No policy allows this request.',
  },
  throttled: {
    verdict: 'deny',
    status: { request: 429, response: 429 },
    message: 'Too many requests of this kind. Try again later.',
  },
  rule_error: {
    verdict: 'unavailable',
    status: { request: 503, response: 503 },
    message: 'A policy that must decide this request could not be evaluated.',
  },
  breaker_open: {
    verdict: 'unavailable',
    status: { request: 503, response: 503 },
    message: 'A policy that must decide this request is failing and was taken out of service.',
  },
  mode_cannot_enforce: {
    verdict: 'unavailable',
    status: { request: 503, response: 503 },
    message: 'A policy cannot be enforced on this route as the proxy is configured.',
  },
  unreadable_body: {
    verdict: 'unavailable',
    status: { request: 400, response: 502 },
    message: 'A policy must read this body, and it cannot be read.',
  },
  body_too_large: {
    verdict: 'unavailable',
    status: { request: 413, response: 502 },
    message: 'The body is larger than a policy may read.',
  },
  held_bytes_exceeded: {
    verdict: 'unavailable',
    status: { request: 413, response: 502 },
    message: 'Too much of the body would have to be held for a verdict.',
  },
  matches_exceeded: {
    verdict: 'unavailable',
    status: { request: 413, response: 502 },
    message: 'The body has more of what a policy looks for than may be judged.',
  },
  verdict_deadline: {
    verdict: 'unavailable',
    status: { request: 408, response: 504 },
    message: 'The rest of the body did not arrive in time for a verdict.',
  },
  no_policy_set: {
    verdict: 'unavailable',
    status: { request: 503, response: 503 },
    message: 'No policy set is loaded.',
  },
  overloaded: {
    verdict: 'unavailable',
    status: { request: 503, response: 503 },
    message: 'Too many exchanges are open to judge one more.',
  },
  draining: {
    verdict: 'unavailable',
    status: { request: 503, response: 503 },
    message: 'The policy server is being stopped and can judge no more of this.',
  },
  internal_error: {
    verdict: 'unavailable',
    status: { request: 500, response: 500 },
    message: 'The policy server failed on this request.',
  },
});

/** What a refusal calls its reason, for programs: a name of their APIs' own where they have one. */
export function refusalWord(code: RefusalCode): string {
  if (code === 'policy') return 'content_policy_violation';
  return code === 'throttled' ? 'rate_limit_exceeded' : code;
}

export const DECISION_CODES: readonly DecisionCode[] = Object.freeze([
  'allowed',
  'local_reply',
  'client_gone',
  ...(Object.keys(REFUSALS) as RefusalCode[]),
]);
