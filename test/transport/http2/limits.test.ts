/** Every limit of `Http2Limits` that a connection holds: the last that is allowed, and what the next is told. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { HTTP2_LIMITS_DEFAULT, type Http2Limits } from '../../../src/engine/http2-limits.ts';
import { SharedBytes } from '../../../src/transport/http2/held-bytes.ts';
import { ConnectionRig } from './connection-rig.ts';
import {
  ACK,
  data,
  END_HEADERS,
  END_STREAM,
  type Frame,
  fields,
  frame,
  goawayOf,
  headers,
  kept,
  literal,
  message,
  PLAIN_BLOCK,
  PREFACE,
  ping,
  reset,
  SETTINGS_ACK,
  settings,
  TYPE,
  uint32,
  windowUpdate,
} from './raw-peer.ts';

const FLOW_CONTROL_ERROR = 3;
const SETTINGS_TIMEOUT = 4;
const REFUSED_STREAM = 7;
const CALM = 11;

/** The connection is over for `reason`, told by a GOAWAY of `code`. */
async function endedFor(rig: ConnectionRig, reason: string, code: number): Promise<void> {
  assert.equal(rig.fault, reason);
  assert.equal(goawayOf(await rig.frames())?.code, code);
  assert.ok(rig.closedSink);
  assert.deepEqual(rig.crashes, []);
}

const runs = (rig: ConnectionRig): void => assert.equal(rig.fault, 'running');

const resetsIn = (frames: readonly Frame[]): (readonly [number, number])[] =>
  frames
    .filter(({ type }) => type === TYPE.reset)
    .map(({ id, payload }) => [id, payload.readUInt32BE(0)] as const);

const count = <Part>(times: number, make: (index: number) => Part): Part[] =>
  Array.from({ length: times }, (_, index) => make(index));

describe('limits of a connection', () => {
  /** Limits that are held elsewhere: each listener's and each server's own tests. */
  const ELSEWHERE: readonly (keyof Http2Limits)[] = [
    'connectionsMax',
    'outboundBytesTotalMax',
    'turnUnitsMax',
    'unaryMs',
  ];
  const held = new Set<keyof Http2Limits>(ELSEWHERE);
  function limit(name: keyof Http2Limits, test: () => Promise<void>): void {
    held.add(name);
    it(name, test);
  }

  limit('prefaceMs', async () => {
    for (const said of [[], [PREFACE], [PREFACE, settings().subarray(0, 8)]]) {
      const rig = new ConnectionRig({ prefaceMs: 1_000 }).send(...said).pass(999);
      runs(rig);
      await endedFor(rig.pass(1), 'preface_timeout', SETTINGS_TIMEOUT);
    }
    runs(new ConnectionRig({ prefaceMs: 1_000 }).greeted().pass(5_000));
  });

  limit('settingsAckMs', async () => {
    const rig = new ConnectionRig({ settingsAckMs: 1_000 }).send(PREFACE, settings()).pass(999);
    runs(rig);
    await endedFor(rig.pass(1), 'settings_timeout', SETTINGS_TIMEOUT);
    runs(new ConnectionRig({ settingsAckMs: 1_000 }).greeted().pass(5_000));
  });

  limit('idleMs', async () => {
    const rig = new ConnectionRig({ idleMs: 5_000, keepaliveMs: 1e6 }).greeted().pass(4_999);
    assert.equal(goawayOf(await rig.frames()), undefined);
    rig.pass(1);
    assert.deepEqual(goawayOf(await rig.frames()), { code: 0, lastId: 2 ** 31 - 1 });
    // On its way when it was said: it is served, and the connection ends behind it.
    rig.send(headers(1, PLAIN_BLOCK, true)).pass(1_000);
    assert.deepEqual(goawayOf(await rig.frames()), { code: 0, lastId: 1 });
    runs(rig);
    rig.stream.stream.headers(Buffer.of(0x88), true);
    await rig.frames();
    assert.equal(rig.fault, undefined, 'nobody is at fault');
    const busy = new ConnectionRig({ idleMs: 5_000, keepaliveMs: 1e6 }).greeted();
    busy.send(headers(1, PLAIN_BLOCK)).pass(60_000);
    assert.equal(goawayOf(await busy.frames()), undefined, 'a stream is open');
  });

  limit('keepaliveMs', async () => {
    const limits = { keepaliveMs: 1_000, keepaliveTimeoutMs: 500 };
    const rig = new ConnectionRig(limits).greeted();
    const pings = async (): Promise<number> =>
      (await rig.frames()).filter(({ type }) => type === TYPE.ping).length;
    rig.pass(1_000);
    assert.equal(await pings(), 0);
    rig.pass(500);
    assert.equal(await pings(), 1);
    for (let answered = 0; answered < 5; answered++) {
      rig.send(ping(ACK)).pass(1_500);
      assert.equal(await pings(), 1);
    }
    runs(rig);
  });

  limit('keepaliveTimeoutMs', async () => {
    const limits = { keepaliveMs: 1_000, keepaliveTimeoutMs: 500 };
    const rig = new ConnectionRig(limits).greeted().send(headers(1, PLAIN_BLOCK)).pass(1_250);
    rig.pass(499);
    runs(rig);
    await endedFor(rig.pass(250), 'keepalive_timeout', 0);
    assert.equal(rig.stream.how, 'lost');
  });

  limit('headerBlockBytesMax', async () => {
    const limits = { headerBlockBytesMax: 20_000, headerListBytesMax: 1e6 };
    const block = (bytes: number): Buffer => {
      const rest = bytes - PLAIN_BLOCK.length - literal('a', 'v'.repeat(9_000)).length;
      const filled = literal('b', 'v'.repeat(rest - 6));
      assert.equal(filled.length, rest);
      return Buffer.concat([PLAIN_BLOCK, literal('a', 'v'.repeat(9_000)), filled]);
    };
    const sent = (bytes: number, at: number): Buffer[] => [
      frame(TYPE.headers, END_STREAM, 1, block(bytes).subarray(0, at)),
      frame(TYPE.continuation, END_HEADERS, 1, block(bytes).subarray(at)),
    ];
    const rig = new ConnectionRig(limits).greeted().send(...sent(20_000, 10_000));
    runs(rig);
    assert.ok(rig.stream.halfClosed);
    const over = new ConnectionRig(limits).greeted().send(...sent(20_001, 10_000));
    await endedFor(over, 'header_block_too_large', CALM);
    const alone = new ConnectionRig({ headerBlockBytesMax: 10 }).greeted();
    runs(alone.send(headers(1, Buffer.concat([PLAIN_BLOCK, literal('a', 'vvv')]))));
    alone.send(headers(3, Buffer.concat([PLAIN_BLOCK, literal('a', 'vvvv')])));
    await endedFor(alone, 'header_block_too_large', CALM);
  });

  limit('continuationsMax', async () => {
    const parts = (continuations: number): Buffer[] => [
      frame(TYPE.headers, END_STREAM, 1, PLAIN_BLOCK),
      ...count(continuations - 1, () => frame(TYPE.continuation, 0, 1)),
      frame(TYPE.continuation, END_HEADERS, 1),
    ];
    const rig = new ConnectionRig({ continuationsMax: 3 }).greeted().send(...parts(3));
    runs(rig);
    assert.ok(rig.stream.halfClosed);
    const over = new ConnectionRig({ continuationsMax: 3 }).greeted();
    await endedFor(over.send(...parts(4)), 'continuation_flood', CALM);
  });

  limit('headerListBytesMax', async () => {
    // :method POST 43, :scheme http 43, :path / 38, and 33 + 1 of the field.
    const list = (value: string): Buffer => Buffer.concat([PLAIN_BLOCK, literal('a', value)]);
    const rig = new ConnectionRig({ headerListBytesMax: 158 }).greeted();
    rig.send(headers(1, list('v')), headers(3, list('vv')), headers(5, list('v')));
    assert.deepEqual(resetsIn(await rig.frames()), [[3, CALM]]);
    assert.equal(rig.streams.length, 2);
  });

  limit('headerFieldsMax', async () => {
    const list = (more: number): Buffer =>
      Buffer.concat([PLAIN_BLOCK, ...count(more, () => literal('a', 'v'))]);
    const rig = new ConnectionRig({ headerFieldsMax: 5 }).greeted();
    rig.send(headers(1, list(2)), headers(3, list(3)), headers(5, list(2)));
    assert.deepEqual(resetsIn(await rig.frames()), [[3, CALM]]);
    assert.equal(rig.streams.length, 2);
  });

  limit('headerTableBytes', async () => {
    // Two entries of 50 bytes each, and a third of 50: RFC 7541 §4.1 counts 32 for each.
    const three = Buffer.concat(count(3, (at) => kept(`name-of-${at}`, 'a value.')));
    const first = Buffer.concat([PLAIN_BLOCK, three]);
    for (const [index, stands] of [
      [63, true],
      [64, false],
    ] as const) {
      const rig = new ConnectionRig({ headerTableBytes: 100 }).greeted();
      // The size that the peer was told: without it the table would stay at what it was before.
      const smaller = Buffer.of(0x3f, 100 - 31);
      rig.send(headers(1, Buffer.concat([smaller, first])));
      rig.send(headers(3, Buffer.concat([PLAIN_BLOCK, Buffer.of(0x80 | index)])));
      if (stands) runs(rig);
      else await endedFor(rig, 'compression', 9);
    }
    const larger = new ConnectionRig({ headerTableBytes: 100 }).greeted();
    larger.send(headers(1, Buffer.concat([Buffer.of(0x3f, 101 - 31), PLAIN_BLOCK])));
    await endedFor(larger, 'compression', 9);
  });

  it('headerTableBytes counts from the acknowledgement on', async () => {
    const limits = { headerTableBytes: 64 };
    const before = new ConnectionRig(limits).send(PREFACE, settings());
    const entry = kept('name-of-mine', 'longer than fits the table of sixty-four');
    before.send(headers(1, Buffer.concat([PLAIN_BLOCK, entry])));
    before.send(headers(3, Buffer.concat([PLAIN_BLOCK, Buffer.of(0xbe)])));
    runs(before);
    before.send(SETTINGS_ACK, headers(5, PLAIN_BLOCK));
    await endedFor(before, 'compression', 9);
  });

  limit('concurrentStreamsMax', async () => {
    const rig = new ConnectionRig({ concurrentStreamsMax: 2 }).greeted();
    rig.send(headers(1, PLAIN_BLOCK), headers(3, PLAIN_BLOCK), headers(5, PLAIN_BLOCK));
    assert.deepEqual(resetsIn(await rig.frames()), [[5, REFUSED_STREAM]]);
    rig.send(reset(1), headers(7, PLAIN_BLOCK), headers(9, PLAIN_BLOCK));
    assert.deepEqual(resetsIn(await rig.frames()), [[9, REFUSED_STREAM]]);
    assert.deepEqual(
      rig.streams.map(({ stream }) => stream.id),
      [1, 3, 7],
    );
  });

  const CONTROL: readonly (readonly [string, () => Buffer])[] = [
    ['PING', () => ping()],
    ['acknowledgements of no PING', () => ping(ACK)],
    ['SETTINGS', () => settings()],
    ['acknowledgements of no SETTINGS', () => SETTINGS_ACK],
    ['PRIORITY', () => frame(TYPE.priority, 0, 1, Buffer.from([0, 0, 0, 3, 0]))],
    ['GOAWAY', () => frame(TYPE.goaway, 0, 0, uint32(0, 0))],
    ['unknown frames', () => frame(0x42, 0xff, 7, Buffer.alloc(3))],
    ['resets of what is gone', () => reset(1)],
    ['empty DATA behind a reset', () => data(1, Buffer.alloc(0))],
    ['a half-close behind a reset', () => data(1, Buffer.alloc(0), true)],
    ['headers behind a reset', () => headers(1, Buffer.alloc(0), true)],
  ];

  limit('controlFramesBurst', async () => {
    for (const [name, make] of CONTROL) {
      const limits = { controlFramesBurst: 50, controlFramesPerSecond: 10 };
      const rig = new ConnectionRig(limits).greeted();
      rig.send(headers(1, PLAIN_BLOCK));
      rig.stream.stream.reset(8);
      // The greeting's two, an ACK of ours among them.
      rig.send(...count(48, make));
      runs(rig);
      rig.send(make());
      assert.equal(rig.fault, 'control_flood', name);
      await endedFor(rig, 'control_flood', CALM);
    }
  });

  limit('controlFramesPerSecond', async () => {
    const limits = { controlFramesBurst: 50, controlFramesPerSecond: 10 };
    const rig = new ConnectionRig(limits).greeted().send(...count(48, () => ping()));
    rig.pass(1_000).send(...count(10, () => ping()));
    runs(rig);
    await rig.frames();
    await endedFor(rig.send(ping()), 'control_flood', CALM);
    const paid = new ConnectionRig(limits).greeted().send(headers(1, PLAIN_BLOCK));
    for (let at = 0; at < 500; at++) paid.send(data(1, Buffer.of(1)), ping());
    runs(paid);
  });

  it('controlFrames: a window that changes for thousands of streams costs more than one', async () => {
    const limits = { controlFramesBurst: 50, controlFramesPerSecond: 1 };
    const rig = new ConnectionRig(limits).greeted();
    rig.send(...count(2_000, (at) => headers(at * 2 + 1, PLAIN_BLOCK)));
    // 48 left: each of these takes one and four more for each change.
    const change = (at: number) => settings([4, 1_000 + at]);
    rig.send(...count(9, change));
    runs(rig);
    await endedFor(rig.send(change(9)), 'control_flood', CALM);
    const inOne = new ConnectionRig(limits).greeted();
    inOne.send(...count(2_000, (at) => headers(at * 2 + 1, PLAIN_BLOCK)));
    // Changes in one frame cost as much as one: so do they for us.
    for (let frames = 0; frames < 9; frames++)
      inOne.send(settings(...count(12, (at) => [4, frames * 100 + at] as const)));
    runs(inOne);
    await endedFor(inOne.send(settings([4, 1])), 'control_flood', CALM);
  });

  it('a window that is too large for a moment, within one SETTINGS, is an error all the same', async () => {
    const rig = new ConnectionRig().greeted().send(headers(1, PLAIN_BLOCK), windowUpdate(1, 1));
    await endedFor(
      rig.send(settings([4, 2 ** 31 - 1], [4, 100])),
      'flow_control',
      FLOW_CONTROL_ERROR,
    );
  });

  it('the windows of open streams move by what the last of several settings says', async () => {
    const rig = new ConnectionRig().send(PREFACE, settings([4, 10]), SETTINGS_ACK);
    rig.send(headers(1, PLAIN_BLOCK), settings([4, 500], [4, 0], [4, 30]));
    rig.stream.stream.bytes(Buffer.alloc(100), false);
    const sent = (await rig.frames()).filter(({ type }) => type === TYPE.data);
    assert.deepEqual(
      sent.map(({ payload }) => payload.length),
      [30],
    );
  });

  limit('emptyResetsBurst', async () => {
    const limits = { emptyResetsBurst: 5, emptyResetsPerSecond: 1, concurrentStreamsMax: 100 };
    const wrong = Buffer.concat([PLAIN_BLOCK, literal('Upper', 'case')]);
    const ways: readonly (readonly [string, (id: number) => Buffer[]])[] = [
      ['opened and reset', (id) => [headers(id, PLAIN_BLOCK), reset(id)]],
      ['a window of nothing', (id) => [headers(id, PLAIN_BLOCK), windowUpdate(id, 0)]],
      ['a window too large', (id) => [headers(id, PLAIN_BLOCK), windowUpdate(id, 2 ** 31 - 1)]],
      [
        'PRIORITY of a wrong size',
        (id) => [headers(id, PLAIN_BLOCK), frame(TYPE.priority, 0, id, Buffer.alloc(4))],
      ],
      [
        'depends on itself',
        (id) => [
          headers(id, PLAIN_BLOCK),
          frame(TYPE.priority, 0, id, Buffer.concat([uint32(id), Buffer.of(1)])),
        ],
      ],
      ['behind its end', (id) => [headers(id, PLAIN_BLOCK, true), data(id, Buffer.of(1))]],
      [
        'headers behind its end',
        (id) => [headers(id, PLAIN_BLOCK, true), headers(id, PLAIN_BLOCK, true)],
      ],
      [
        'trailers that end nothing',
        (id) => [headers(id, PLAIN_BLOCK), headers(id, fields(['a', 'b']))],
      ],
      [
        'longer than promised',
        (id) => [
          headers(id, Buffer.concat([PLAIN_BLOCK, literal('content-length', '1')])),
          data(id, Buffer.alloc(2)),
        ],
      ],
      ['malformed', (id) => [headers(id, wrong)]],
    ];
    for (const [name, make] of ways) {
      const rig = new ConnectionRig(limits).greeted();
      for (let at = 0; at < 5; at++) rig.send(...make(at * 2 + 1));
      assert.equal(rig.fault, 'running', name);
      await rig.frames();
      rig.send(...make(11));
      assert.equal(rig.fault, 'reset_flood', name);
      await endedFor(rig, 'reset_flood', CALM);
    }
  });

  limit('emptyResetsPerSecond', async () => {
    const limits = { emptyResetsBurst: 5, emptyResetsPerSecond: 2 };
    const rig = new ConnectionRig(limits).greeted();
    let id = 1;
    const open = (): Buffer[] => {
      const parts = [headers(id, PLAIN_BLOCK), reset(id)];
      id += 2;
      return parts;
    };
    rig.send(...count(5, open).flat()).pass(1_000);
    rig.send(...count(2, open).flat());
    runs(rig);
    await endedFor(rig.send(...open()), 'reset_flood', CALM);
  });

  limit('emptyDataFramesMax', async () => {
    const limits = { emptyDataFramesMax: 5 };
    const ways: readonly (readonly [string, Buffer])[] = [
      ['of an open stream', data(1, Buffer.alloc(0))],
      ['nothing but padding', frame(TYPE.data, 8, 1, Buffer.from([3, 0, 0, 0]))],
    ];
    for (const [name, part] of ways) {
      const rig = new ConnectionRig(limits).greeted().send(headers(1, PLAIN_BLOCK));
      rig.send(...count(5, () => part));
      assert.equal(rig.fault, 'running', name);
      await rig.frames();
      await endedFor(rig.send(part), 'empty_data_flood', CALM);
    }
    const between = new ConnectionRig(limits).greeted().send(headers(1, PLAIN_BLOCK));
    for (let at = 0; at < 4; at++)
      between.send(...count(5, () => data(1, Buffer.alloc(0))), data(1, Buffer.of(1)));
    runs(between.send(data(1, Buffer.alloc(0), true)));
    assert.ok(between.stream.halfClosed);
  });

  limit('windowUpdatesSpareMax', async () => {
    const rig = new ConnectionRig({ windowUpdatesSpareMax: 5 }).greeted();
    rig.send(headers(1, PLAIN_BLOCK), ...count(5, (at) => windowUpdate(at % 2, 1)));
    runs(rig);
    // Each DATA frame of ours pays for two, up to what there was.
    rig.stream.stream.message(Buffer.from('a'));
    rig.send(...count(2, () => windowUpdate(0, 1)));
    runs(rig);
    await rig.frames();
    await endedFor(rig.send(windowUpdate(0, 1)), 'window_update_flood', CALM);
  });

  limit('streamWindowBytes', async () => {
    for (const windowBytes of [40_000, 100_000]) {
      const rig = new ConnectionRig({ streamWindowBytes: windowBytes }).greeted();
      rig.send(headers(1, PLAIN_BLOCK), headers(3, PLAIN_BLOCK));
      // Nobody reads: nothing of what comes is given back.
      for (const { stream } of rig.streams) stream.read(false);
      for (let left = windowBytes; left > 0; left -= 10_000)
        rig.send(data(1, Buffer.alloc(10_000)), data(3, Buffer.alloc(10_000)));
      assert.deepEqual(resetsIn(await rig.frames()), []);
      rig.send(data(1, Buffer.of(1)));
      assert.deepEqual(resetsIn(await rig.frames()), [[1, FLOW_CONTROL_ERROR]]);
      rig.streams[1]?.stream.read(true);
      const credit = (await rig.frames()).find(({ type, id }) => type === TYPE.window && id === 3);
      assert.equal(credit?.payload.readUInt32BE(0), windowBytes);
      runs(rig.send(...count(windowBytes / 10_000, () => data(3, Buffer.alloc(10_000)))));
      assert.deepEqual(resetsIn(await rig.frames()), []);
    }
  });

  it('streamWindowBytes counts from the acknowledgement on, if it is less than before', async () => {
    const rig = new ConnectionRig({ streamWindowBytes: 1_000 }).send(PREFACE, settings());
    rig.send(headers(1, PLAIN_BLOCK), headers(3, PLAIN_BLOCK));
    for (const { stream } of rig.streams) stream.read(false);
    rig.send(...count(4, () => data(1, Buffer.alloc(16_000))));
    assert.deepEqual(resetsIn(await rig.frames()), []);
    rig.send(SETTINGS_ACK, data(3, Buffer.alloc(1_000)));
    assert.deepEqual(resetsIn(await rig.frames()), []);
    rig.send(data(3, Buffer.of(1)));
    assert.deepEqual(resetsIn(await rig.frames()), [[3, FLOW_CONTROL_ERROR]]);
  });

  limit('connectionWindowBytes', async () => {
    // What all streams together may send ahead is given back as it comes: it bounds what is under way, not what is held.
    const rig = new ConnectionRig({ connectionWindowBytes: 100_000 }).greeted();
    const given = (await rig.frames()).filter(({ type }) => type === TYPE.window);
    assert.deepEqual(
      given.map(({ id, payload }) => [id, payload.readUInt32BE(0)]),
      [[0, 100_000 - 65_535]],
    );
    rig.send(headers(1, PLAIN_BLOCK), ...count(5, () => data(1, Buffer.alloc(9_999))));
    const before = (await rig.frames()).filter(({ type, id }) => type === TYPE.window && id === 0);
    assert.equal(before.length, 0);
    rig.send(data(1, Buffer.alloc(5)));
    const credit = (await rig.frames()).filter(({ type, id }) => type === TYPE.window && id === 0);
    assert.deepEqual(
      credit.map(({ payload }) => payload.readUInt32BE(0)),
      [50_000],
    );
  });

  limit('inboundBytesTotalMax', async () => {
    // 4096 for a stream and the three bytes of its headers.
    const each = 4_096 + PLAIN_BLOCK.length;
    const shared = new SharedBytes(3 * each);
    const greedy = new ConnectionRig({}, { inbound: shared }).greeted();
    greedy.send(...count(4, (at) => headers(at * 2 + 1, PLAIN_BLOCK)));
    assert.deepEqual(resetsIn(await greedy.frames()), [[7, REFUSED_STREAM]]);
    assert.equal(shared.held, 3 * each);
    // Another one has less than its share: what the first holds does not keep it out.
    const modest = new ConnectionRig({}, { inbound: shared }).greeted();
    modest.send(headers(1, PLAIN_BLOCK), headers(3, PLAIN_BLOCK));
    assert.deepEqual(resetsIn(await modest.frames()), [[3, REFUSED_STREAM]]);
    greedy.send(reset(1), headers(9, PLAIN_BLOCK));
    assert.deepEqual(
      resetsIn(await greedy.frames()),
      [[9, REFUSED_STREAM]],
      'it has more than its share',
    );
    greedy.connection.lost();
    modest.send(headers(5, PLAIN_BLOCK));
    assert.deepEqual(resetsIn(await modest.frames()), []);
    modest.stream.stream.headers(Buffer.of(0x88), true);
    modest.connection.lost();
    assert.deepEqual([shared.held, shared.holders], [0, 0]);
  });

  limit('outboundBytesPerStream', async () => {
    // The socket takes nothing: so much is laid out for it, the rest is kept with its streams.
    const rig = new ConnectionRig({ outboundBytesPerStream: 1_000 }).greeted();
    rig.send(headers(1, PLAIN_BLOCK));
    await rig.frames();
    rig.taking = false;
    for (let at = 0; at < 20; at++) rig.stream.stream.bytes(Buffer.alloc(91), false);
    await rig.frames();
    assert.equal(rig.connection.outboundBytes, 10 * 100 + 10 * 91);
    assert.equal(rig.stream.stream.queuedBytes, 10 * 91);
    assert.equal(rig.stream.drains, 0);
    rig.taking = true;
    rig.take();
    const out = await rig.frames();
    assert.equal(
      out.reduce((sum, { type, payload }) => sum + (type === TYPE.data ? payload.length : 0), 0),
      20 * 91,
    );
    assert.equal(rig.stream.drains, 1);
  });

  limit('outboundBytesPerConnectionMax', async () => {
    const limits = { outboundBytesPerConnectionMax: 10_000, outboundBytesPerStream: 1_000 };
    const rig = new ConnectionRig(limits).send(PREFACE, settings([4, 0]), SETTINGS_ACK);
    rig.send(headers(1, PLAIN_BLOCK), headers(3, PLAIN_BLOCK));
    await rig.frames();
    for (const { stream } of rig.streams) stream.bytes(Buffer.alloc(5_000), false);
    await rig.frames();
    runs(rig);
    rig.stream.stream.bytes(Buffer.of(1), false);
    await Promise.resolve();
    await endedFor(rig, 'outbound_too_large', CALM);
    // Answers without a body have no window to wait for: the socket is their only bound.
    const answers = new ConnectionRig(limits, {
      open: (_head, stream) => {
        stream.headers(Buffer.alloc(91, 0x88), true);
        return { data() {}, ended() {}, drained() {}, closed() {} };
      },
    }).greeted();
    await answers.frames();
    answers.taking = false;
    let id = 1;
    for (; id < 1_000 && answers.fault === 'running'; id += 2)
      answers.send(headers(id, PLAIN_BLOCK, true));
    assert.equal(answers.fault, 'outbound_too_large');
    assert.equal((id - 1) / 2, 101);
  });

  it('outboundBytesPerConnectionMax: half of it, and no stream is opened', async () => {
    const rig = new ConnectionRig({ outboundBytesPerConnectionMax: 10_000 });
    rig.send(PREFACE, settings([4, 0]), SETTINGS_ACK, headers(1, PLAIN_BLOCK));
    rig.stream.stream.bytes(Buffer.alloc(5_000), false);
    rig.send(headers(3, PLAIN_BLOCK));
    rig.stream.stream.bytes(Buffer.of(1), false);
    rig.send(headers(5, PLAIN_BLOCK));
    assert.deepEqual(resetsIn(await rig.frames()), [[5, REFUSED_STREAM]]);
  });

  limit('outboundControlFramesMax', async () => {
    const limits = { outboundControlFramesMax: 20, controlFramesBurst: 1_000 };
    const rig = new ConnectionRig(limits).greeted();
    rig.taking = false;
    for (let at = 0; at < 19; at++) rig.send(ping());
    runs(rig);
    // Those that have left count no longer, while later ones wait still.
    rig.take();
    for (let at = 0; at < 20; at++) rig.send(ping());
    runs(rig);
    rig.send(ping());
    rig.take();
    await endedFor(rig, 'control_flood', CALM);
  });

  limit('writeStallMs', async () => {
    const limits = { writeStallMs: 2_000, keepaliveMs: 1e6 };
    const rig = new ConnectionRig(limits).greeted();
    await rig.frames();
    rig.taking = false;
    rig.send(ping()).pass(1_750);
    runs(rig);
    rig.take();
    rig.send(ping()).pass(2_000);
    runs(rig);
    rig.pass(250);
    rig.take();
    await endedFor(rig, 'write_stalled', CALM);
    // One stream whose window stays shut is reset alone.
    const shut = new ConnectionRig(limits).send(PREFACE, settings([4, 100]), SETTINGS_ACK);
    shut.send(headers(1, PLAIN_BLOCK), headers(3, PLAIN_BLOCK));
    for (const { stream } of shut.streams) stream.bytes(Buffer.alloc(150), false);
    shut.pass(1_500).send(windowUpdate(3, 1)).pass(500);
    assert.deepEqual(resetsIn(await shut.frames()), [[1, CALM]]);
    assert.equal(shut.streams[0]?.how, 'reset');
    runs(shut);
  });

  it('are all held by a test', () => {
    assert.deepEqual(
      Object.keys(HTTP2_LIMITS_DEFAULT).filter((name) => !held.has(name as keyof Http2Limits)),
      [],
    );
  });

  it('half-closes and resets as Envoy does cost nothing of any budget', async () => {
    const limits = { controlFramesBurst: 10, controlFramesPerSecond: 1, emptyResetsBurst: 1 };
    const rig = new ConnectionRig({ ...limits, emptyResetsPerSecond: 1 }).greeted();
    for (let id = 1; id < 20_000; id += 2) {
      rig.send(headers(id, PLAIN_BLOCK), data(id, message(Buffer.from('a'))));
      const { stream } = rig.stream;
      stream.carriedMessage = true;
      stream.message(Buffer.from('b'));
      if (id % 4 === 1) {
        // The answer's end crosses the reset.
        rig.send(data(id, Buffer.alloc(0), true));
        stream.headers(Buffer.of(0x88), true);
      }
      rig.send(reset(id, 0));
    }
    runs(rig);
    assert.equal(rig.connection.streams, 0);
  });
});
