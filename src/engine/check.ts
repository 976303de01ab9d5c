/**
 * ext_authz: assigns the exchange its policy set, decides what needs headers only, and hands the
 * assignment to Process by dynamic metadata (SEMANTICS §2). It sees no verified claims: in Istio custom
 * authorization runs before JWT validation.
 */
import { apiAt, formatOfPath } from '../formats/detect.ts';
import { modelOfPath } from '../formats/model-path.ts';
import { openaiChat } from '../formats/openai-chat.ts';
import { refusingWords } from '../policy/actions/refusing.ts';
import type { AnswerCheck, CheckAnswer, CheckRequest } from '../protocol/check.ts';
import { activate } from './active-rules.ts';
import { REFUSALS, type RefusalCode, refusalWord } from './codes.ts';
import { DecisionDraft } from './decision.ts';
import { trustedOf } from './exchange-facts.ts';
import { type FactContext, factsOf, handedOver, lookUp, sourceName } from './facts.ts';
import type { EngineDeps } from './ports.ts';
import { assign } from './snapshot.ts';
import { TRACEPARENT, traceContextOf } from './trace-context.ts';

export function createCheck(deps: EngineDeps): AnswerCheck {
  return (request, initialMetadata) => answer(deps, request, initialMetadata);
}

function answer(
  deps: EngineDeps,
  request: CheckRequest,
  initialMetadata: (name: string) => string | undefined,
): CheckAnswer {
  const decision = new DecisionDraft(deps, 'check', deps.newId());
  const context: FactContext = {
    grpcMetadata: initialMetadata,
    contextExtension: (name) => request.contextExtension(name),
    metadata: () => undefined,
    attribute: () => undefined,
    peer: () => request.sourcePrincipal || undefined,
    header: (name) => request.headers.get(name),
    bodyModel: modelOfPath(request.path),
    authority: request.authority,
    path: request.path,
  };
  decision.phase = 'request';
  decision.requestId = request.headers.get('x-request-id') ?? '';
  decision.traced(traceContextOf(initialMetadata(TRACEPARENT), request.headers.get(TRACEPARENT)));
  decision.facts = factsOf(deps.facts, context);
  const session = lookUp(deps.facts.session, context);
  decision.session = session && deps.sessionHash(sourceName(session.source), session.value);
  const assignment = assign(deps.serving.current, decision.session, deps.xxh64);
  decision.assignment = assignment;
  if (!assignment) {
    if (deps.onStoreLoss === 'deny') return refuse(deps, decision, request, 'no_policy_set');
    decision.degraded = true;
    decision.close('allow', 'allowed');
    return { kind: 'allow', metadata: { exchange: decision.id } };
  }
  const active = activate(
    assignment.set,
    decision.facts,
    {
      facts: decision.facts,
      method: request.method,
      path: request.path,
      authority: request.authority,
      route: '',
      ...apiAt(request.path, deps.formats),
      headers: trustedOf(deps.trustedHeaders, context),
      nowMs: deps.clock.nowMs(),
      ...(request.sourceIp !== '' && { sourceIp: request.sourceIp }),
      ...(decision.surroundings && { surroundings: decision.surroundings }),
    },
    deps.guard,
    true,
  );
  decision.failedRules(active.errors);
  decision.lifted(active.lifted);
  if (active.refusal) {
    const { code } = active.refusal;
    const rule = code === 'policy' ? active.refusal.rule : undefined;
    if (rule !== undefined) {
      const place = {
        label: rule.restriction ? 'RESTRICTION' : 'WHEN',
        text: '',
        start: 0,
        end: 0,
      };
      decision.finding({ rule, ...place, enforced: true, effect: { kind: 'block' } });
    }
    return refuse(deps, decision, request, code, refusingWords(rule?.action));
  }
  decision.close('allow', 'allowed');
  const told = handedOver(deps.facts, context);
  return {
    kind: 'allow',
    metadata: {
      exchange: decision.id,
      epoch: assignment.epoch,
      set: assignment.set.digest,
      cohort: assignment.cohort,
      ...(told !== undefined && { facts: told }),
    },
  };
}

function refuse(
  deps: EngineDeps,
  decision: DecisionDraft,
  request: CheckRequest,
  code: RefusalCode,
  block?: { readonly message: string; readonly status: number },
): CheckAnswer {
  const kind = REFUSALS[code];
  const format = formatOfPath(request.path, deps.formats) ?? openaiChat;
  format.asked?.(request.body);
  const response = format.refusalResponse(
    {
      message: block?.message ?? kind.message,
      decisionId: decision.id,
      code: refusalWord(code),
    },
    block?.status ?? kind.status.request,
    'error',
    false,
  );
  decision.status = response.status;
  decision.close(kind.verdict, code);
  return {
    kind: 'deny',
    status: response.status,
    headers: response.headers,
    body: response.body,
    metadata: { exchange: decision.id, verdict: kind.verdict, code },
  };
}
