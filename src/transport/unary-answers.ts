/** The two methods of one question and one answer, in bytes. */
import type { Buffer } from 'node:buffer';
import type { AnswerCheck } from '../protocol/check.ts';
import { checkReply, readCheckRequest } from '../protocol/ext-authz.ts';
import { framesOf } from './error-frames.ts';
import type { TransportEvent } from './grpc-server.ts';
import {
  type HealthState,
  healthStatusOf,
  readHealthService,
  SERVICE_UNKNOWN,
  writeHealthStatus,
} from './health.ts';

export type UnaryAnswer =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'status';
      readonly status: 'INTERNAL' | 'NOT_FOUND';
      /** A word of ours. */
      readonly reason: string;
    };

/** The message is `bytes[start, end)`. `metadata`: first value of a key of the call's own metadata. Does not throw. */
export type AnswerUnary = (
  bytes: Buffer,
  start: number,
  end: number,
  metadata: (name: string) => string | undefined,
) => UnaryAnswer;

/** envoy.service.auth.v3.Authorization/Check. Any failure is an error status: a default message would allow. */
export function checkAnswers(
  answerCheck: AnswerCheck,
  tell: (event: TransportEvent) => void,
): AnswerUnary {
  return (bytes, start, end, metadata) => {
    try {
      const request = readCheckRequest(bytes, start, end);
      return { kind: 'message', bytes: checkReply(answerCheck(request, metadata)) };
    } catch (error) {
      tell({ kind: 'check_failed' });
      tell({ kind: 'fault', code: 'handler_failed', frames: framesOf(error) });
      return { kind: 'status', status: 'INTERNAL', reason: 'check_failed' };
    }
  };
}

/** grpc.health.v1.Health/Check. */
export function healthAnswers(health: HealthState): AnswerUnary {
  return (bytes, start, end) => {
    const service = readHealthService(bytes.subarray(start, end));
    if (service === undefined)
      return { kind: 'status', status: 'INTERNAL', reason: 'malformed_message' };
    const status = healthStatusOf(health, service);
    if (status === SERVICE_UNKNOWN)
      return { kind: 'status', status: 'NOT_FOUND', reason: 'unknown_service' };
    return { kind: 'message', bytes: writeHealthStatus(status) };
  };
}
