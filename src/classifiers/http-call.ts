/**
 * One POST of JSON to an address of the operator's: kept connections, no redirect followed, no proxy from the
 * environment, no more read than agreed, and never to a link-local address, where clouds keep their credentials.
 */
import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import {
  type Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const FORBIDDEN = new BlockList();
FORBIDDEN.addSubnet('169.254.0.0', 16, 'ipv4');
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6');
// A translator of the network (RFC 6052) would ask 169.254.0.0/16 for us.
FORBIDDEN.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
FORBIDDEN.addAddress('fd00:ec2::254', 'ipv6');

const OK = 200;

export type CallOutcome =
  | { readonly kind: 'answered'; readonly json: unknown }
  | { readonly kind: 'failed'; readonly reason: 'unreachable' | 'bad_status' | 'bad_answer' };

export interface CallOptions {
  readonly url: URL;
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly answerBytesMax: number;
}

/** Whether nobody may be asked there. An address that IPv6 wraps is the one inside. */
export function isForbidden(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  return FORBIDDEN.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Calls `told` once, unless the result was called before: that ends it without a word. */
export function postJson(
  body: string,
  options: CallOptions,
  told: (outcome: CallOutcome) => void,
): () => void {
  let over = false;
  let current: ClientRequest | undefined;
  const end = (outcome: CallOutcome): void => {
    if (over) return;
    over = true;
    told(outcome);
  };
  const send = (again: boolean): void => {
    const sent = open(body, options);
    current = sent;
    let answered = false;
    sent.on('response', (answer) => {
      answered = true;
      read(answer, options.answerBytesMax, end);
    });
    sent.on('error', () => {
      // A kept connection that the other side has just closed: nothing was answered on it.
      if (!over && sent.reusedSocket && !again && !answered) send(true);
      else end({ kind: 'failed', reason: 'unreachable' });
    });
    sent.end(body);
  };
  send(false);
  return () => {
    over = true;
    current?.destroy();
  };
}

function open(body: string, { url, agent, headers }: CallOptions): ClientRequest {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return request(url, {
    method: 'POST',
    agent,
    lookup: guardedLookup,
    headers: {
      ...headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      accept: 'application/json',
    },
  });
}

/** What a lookup of all addresses is told. */
type Resolve = (
  host: string,
  options: LookupAllOptions,
  told: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A lookup in which a name that leads where nobody may be asked leads nowhere. */
export function guarded(resolve: Resolve): LookupFunction {
  return (host, options, told) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      const allowed = error ? [] : addresses.filter(({ address }) => !isForbidden(address));
      const [first] = allowed;
      if (error || first === undefined) {
        told(error ?? new Error('no address that may be asked'), '', 0);
        return;
      }
      if (options.all) told(null, allowed);
      else told(null, first.address, first.family);
    });
  };
}

const guardedLookup = guarded(lookup);

function read(
  answer: IncomingMessage,
  bytesMax: number,
  end: (outcome: CallOutcome) => void,
): void {
  const { statusCode } = answer;
  const chunks: Buffer[] = [];
  let bytes = 0;
  const fail = (reason: 'bad_status' | 'bad_answer'): void => {
    end({ kind: 'failed', reason });
    answer.destroy();
  };
  if (statusCode !== OK) {
    fail('bad_status');
    return;
  }
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) fail('bad_answer');
    else chunks.push(chunk);
  });
  answer.on('error', () => end({ kind: 'failed', reason: 'unreachable' }));
  answer.on('end', () => {
    let json: unknown;
    try {
      json = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    } catch {
      end({ kind: 'failed', reason: 'bad_answer' });
      return;
    }
    end({ kind: 'answered', json });
  });
}
