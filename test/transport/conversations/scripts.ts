/** Legal conversations of gRPC clients, made at random: what is said on one connection, and how its bytes are cut. */
import { Buffer } from 'node:buffer';
import { Dice } from '../../laws/documents.ts';
import { encodeCheckRequest, encodeProcessingRequest, headerMap } from '../../protocol/peer.ts';
import { message } from '../http2/raw-peer.ts';

/** How a call ends, as far as its client has a say; `cancel` waits for one reply. */
export type Ending = 'half_close' | 'cancel' | 'deadline';

export interface Call {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes of the body, as they are written. */
  readonly pieces: readonly Buffer[];
  readonly ending: Ending;
}

export const PROCESS = '/envoy.service.ext_proc.v3.ExternalProcessor/Process';
const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const HEALTH = '/grpc.health.v1.Health/Check';

const MODES = {
  requestBodyMode: 'FULL_DUPLEX_STREAMED',
  responseBodyMode: 'FULL_DUPLEX_STREAMED',
};
/** Long enough for what is on its way, short enough to be waited for. */
const DEADLINE = '30m';

/** What an exchange does, told by its first header: `answers.ts`. */
const BEHAVIOURS = ['echo', 'echo', 'late', 'split', 'deny', 'fail', 'throw', 'violate'];
const REPLYING = ['echo', 'late', 'split'];

function exchange(dice: Dice, ending: Ending): Buffer[] {
  const behaviour =
    ending === 'deadline' ? 'silent' : dice.pick(ending === 'cancel' ? REPLYING : BEHAVIOURS);
  const body = (): Buffer =>
    Buffer.alloc(dice.pick([0, 1, 7, 300, dice.below(2_000), dice.once(9) ? 150_000 : 5]), 97);
  const bodies = (direction: 'request' | 'response'): object[] => {
    const count = 1 + dice.below(4);
    const ends = dice.once(2);
    return Array.from({ length: count }, (_, at) => ({
      [`${direction}Body`]: { body: body(), endOfStream: ends && at === count - 1 },
    }));
  };
  const first = { ':path': '/v1', 'x-do': behaviour, 'x-more': 'm'.repeat(dice.below(200)) };
  const list: object[] = [
    { requestHeaders: { headers: headerMap(first), endOfStream: false }, protocolConfig: MODES },
  ];
  if (!dice.once(3)) list.push(...bodies('request'));
  if (dice.once(4)) list.push({ requestTrailers: { trailers: headerMap({ t: 'v' }) } });
  if (dice.once(2)) {
    list.push({ responseHeaders: { headers: headerMap({ ':status': '200' }) } });
    list.push(...bodies('response'));
  }
  if (dice.once(12)) list.push({});
  const messages = list.map((one) => encodeProcessingRequest(one));
  // A deadline races with nothing that ends the call before it.
  if (ending === 'deadline') return messages.slice(0, 1);
  // Bytes that are no message, now and then.
  if (dice.once(15)) messages.push(Buffer.from([0x0b, 0x0c]));
  return messages;
}

const check = (dice: Dice): Buffer =>
  encodeCheckRequest({
    attributes: {
      request: {
        http: {
          headers: {
            'x-do': dice.pick(['allow', 'deny', 'throw', 'long']),
            'x-more': 'm'.repeat(dice.below(300)),
          },
        },
      },
    },
  });

function call(dice: Dice): Call {
  const path = dice.pick([PROCESS, PROCESS, PROCESS, CHECK, CHECK, HEALTH, '/unknown/Method']);
  const ending: Ending =
    path === PROCESS
      ? dice.pick(['half_close', 'half_close', 'half_close', 'half_close', 'cancel', 'deadline'])
      : 'half_close';
  let messages: Buffer[] = [
    dice.once(3) ? Buffer.from([0x0a, 3, 0x61, 0x62, 0x63]) : Buffer.alloc(0),
  ];
  if (path === PROCESS) messages = exchange(dice, ending);
  else if (path === CHECK) messages = [check(dice)];
  const timeout = ending === 'deadline' ? DEADLINE : dice.pick(['', '', '1H', '59M']);
  return {
    path,
    metadata: {
      ...(timeout !== '' && { 'grpc-timeout': timeout }),
      ...(dice.once(3) && { 'x-switchyard-stance': dice.pick(['open', 'closed', 'a b']) }),
      ...(dice.once(5) && { 'x-bin': 'AAEC' }),
    },
    pieces: cut(dice, Buffer.concat(messages.map((bytes) => message(bytes)))),
    ending,
  };
}

/** Now and then within the prefixes of messages, else in few pieces. */
function cut(dice: Dice, bytes: Buffer): Buffer[] {
  const most = dice.pick([3, 40, 1_000, 100_000]);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    // Not a thousand pieces of a long body.
    const length = pieces.length > 60 ? bytes.length : 1 + dice.below(most);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** Calls that are under way at once on one connection. */
export function conversation(seed: number): readonly Call[] {
  const dice = new Dice(seed);
  return Array.from({ length: dice.pick([1, 1, 2, 3, 6]) }, () => call(dice));
}
