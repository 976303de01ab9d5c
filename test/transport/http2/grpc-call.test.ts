/** Calls whose answers are longer than a frame, a window or what may wait: each is given once, and none is lost. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { limitsOf, Subject } from './fuzz/subject.ts';
import { callBlock } from './raw-client.ts';
import {
  data,
  headers,
  message,
  PREFACE,
  SETTINGS_ACK,
  settings,
  windowUpdate,
} from './raw-peer.ts';

const LONG = 20_000;

/** What came of the answer on stream 1: its body, and `grpc-status`. */
async function answerOf(subject: Subject): Promise<{ body: Buffer; status: string | undefined }> {
  await subject.settled();
  const answer = subject.view.answers.get(1);
  const last = answer?.trailers ?? answer?.head ?? [];
  return {
    body: Buffer.concat(answer?.body ?? []),
    status: last.find(([name]) => name === 'grpc-status')?.[1],
  };
}

function asked(path: string, limits: Record<string, number>, ...more: readonly Buffer[]): Subject {
  const subject = new Subject(limitsOf(limits));
  subject.view.opened(1);
  subject.view.settingsSent([]);
  for (const bytes of [PREFACE, settings(), SETTINGS_ACK, headers(1, callBlock(path)), ...more])
    subject.connection.receive(bytes);
  return subject;
}

describe('calls of gRPC', () => {
  it('answer one question once, however long the answer', async () => {
    const question = message(Buffer.from(Array.from({ length: LONG }, (_, at) => at % 251)));
    const frames = [
      data(1, question.subarray(0, 16_000)),
      data(1, question.subarray(16_000), true),
    ];
    const { body, status } = await answerOf(asked('/unary', {}, ...frames));
    assert.equal(status, '0');
    const reversed = Buffer.from(question.subarray(5)).reverse();
    assert.ok(body.equals(message(reversed)), `${body.length} bytes`);
  });

  it('take what was held when all had been said, and end behind it', async () => {
    // The second does not fit the window: what follows is held, the half-close too.
    const asks = [50_000, 50_000, LONG, LONG, 5].map((length, at) =>
      message(Buffer.alloc(length, 65 + at)),
    );
    const whole = Buffer.concat(asks);
    const frames: Buffer[] = [];
    for (let at = 0; at < whole.length; at += 16_000)
      frames.push(data(1, whole.subarray(at, at + 16_000), at + 16_000 >= whole.length));
    const subject = asked('/echo', { outboundBytesPerStream: 30_000 }, ...frames);
    const before = await answerOf(subject);
    assert.equal(before.status, undefined);
    assert.ok(before.body.length < whole.length);
    for (const id of [0, 1]) {
      subject.view.windowSent(id, 200_000);
      subject.connection.receive(windowUpdate(id, 200_000));
    }
    const { body, status } = await answerOf(subject);
    assert.equal(status, '0');
    assert.ok(body.equals(whole), `${body.length} of ${whole.length} bytes`);
    assert.deepEqual(subject.view.problems, []);
  });
});
