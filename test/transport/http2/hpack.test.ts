/** HPACK against RFC 7541's own examples, an encoder of other hands, and every symbol of its Huffman code. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { ConnectionError } from '../../../src/transport/http2/frames.ts';
import { HpackDecoder } from '../../../src/transport/http2/hpack-decoder.ts';
import { decodeHuffman } from '../../../src/transport/http2/huffman.ts';
import { integer, literal, PREFACE, readFrames, settings, TYPE } from './raw-peer.ts';

const LIMITS = { headerListBytesMax: 1e6, headerFieldsMax: 1_000 };
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function decode(decoder: HpackDecoder, block: Buffer): string[] {
  const { fields } = decoder.decode(block, 0, block.length);
  return fields.map(({ name, value }) => `${name}: ${value}`);
}

const refused = (block: Buffer): void => {
  const decoder = new HpackDecoder(4_096, LIMITS);
  assert.throws(
    () => decode(decoder, block),
    (error) => error instanceof ConnectionError && error.code === 9,
    block.toString('hex'),
  );
};

/** RFC 7541 Appendix C.3 and C.4: the same three requests, without and with Huffman. */
const REQUESTS = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [
    ':method: GET',
    ':scheme: http',
    ':path: /',
    ':authority: www.example.com',
    'cache-control: no-cache',
  ],
  [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ],
];

describe('HPACK', () => {
  it('reads the requests of RFC 7541, Appendix C', () => {
    const plain = [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ];
    const coded = [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ];
    for (const blocks of [plain, coded]) {
      const decoder = new HpackDecoder(4_096, LIMITS);
      assert.deepEqual(
        blocks.map((block) => decode(decoder, hex(block))),
        REQUESTS,
      );
    }
  });

  it('reads what an encoder of other hands writes, its table and its Huffman code', async () => {
    const blocks: Buffer[] = [];
    let seen: () => void = () => {};
    const server = createServer((socket) => {
      let bytes = Buffer.alloc(0);
      socket.write(settings());
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        const { frames } = readFrames(bytes.subarray(PREFACE.length));
        const all = frames.filter(({ type, flags }) => type === TYPE.headers && (flags & 4) === 4);
        for (const { flags, payload } of all.slice(blocks.length))
          blocks.push(Buffer.from(payload.subarray((flags & 0x20) === 0 ? 0 : 5)));
        seen();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.on('error', () => {});
    const said: Record<string, string>[] = [];
    const letters = 'abcdefghijklmnopqrstuvwxyz!#$%&~|0189 ,;=/';
    for (let at = 0; at < 60; at++) {
      const head: Record<string, string> = { ':path': `/p${at % 7}`, ':method': 'POST' };
      for (let field = 0; field < at % 9; field++)
        head[`x-name-${(at * field) % 13}`] = Array.from(
          { length: 1 + ((at * 31 + field * 17) % 300) },
          (_, index) => letters[(at * 7 + field * 3 + index * (field + 1)) % letters.length],
        )
          .join('')
          .trim()
          .concat('.');
      said.push(head);
      client.request(head, { endStream: true }).on('error', () => {});
    }
    while (blocks.length < said.length)
      await new Promise<void>((resolve) => {
        seen = resolve;
      });
    client.destroy();
    server.close();
    const decoder = new HpackDecoder(4_096, LIMITS);
    blocks.forEach((block, at) => {
      const fields = decode(decoder, block);
      for (const [name, value] of Object.entries(said[at] as Record<string, string>))
        assert.ok(fields.includes(`${name}: ${value}`), `${at}: ${name}`);
    });
  });

  it('refuses what is cut anywhere, and never reads beyond', () => {
    const block = hex(
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf'.replace('bf', '84'),
    );
    const whole = decode(new HpackDecoder(4_096, LIMITS), block);
    assert.equal(whole.length, 5);
    for (let end = 0; end < block.length; end++) {
      const decoder = new HpackDecoder(4_096, LIMITS);
      try {
        const fields = decoder.decode(block, 0, end).fields.length;
        assert.ok(end <= 4 && fields === end, `${end}`);
      } catch (error) {
        assert.ok(error instanceof ConnectionError && end > 4, `${end}`);
      }
    }
  });

  it('refuses indexes that name nothing, integers without end and sizes at the wrong place', () => {
    refused(Buffer.of(0x80));
    refused(integer(62, 7, 0x80));
    refused(integer(2 ** 31, 7, 0x80));
    refused(hex('ffffffffffffffff00'));
    refused(Buffer.concat([Buffer.of(0x82), Buffer.of(0x20)]));
    refused(integer(4_097, 5, 0x20));
    refused(Buffer.concat([Buffer.of(0), integer(1e6, 7), Buffer.from('a')]));
    // Two sizes in front of the first field are allowed: the least, and the last.
    const decoder = new HpackDecoder(4_096, LIMITS);
    const sized = Buffer.concat([Buffer.of(0x20), integer(4_096, 5, 0x20), literal('a', 'b')]);
    assert.deepEqual(decode(decoder, sized), ['a: b']);
  });
});

/** The code of each symbol, found by asking: what decodes to it, padded by ones. */
function codeOf(symbol: number): string {
  const wanted = String.fromCharCode(symbol);
  for (let bits = 5; bits <= 30; bits++) {
    const found = CODES.get(bits)?.get(wanted);
    if (found !== undefined) return found;
  }
  throw new Error(`no code of ${symbol}`);
}
const CODES = new Map<number, Map<string, string>>();

const packed = (bits: string): Buffer => {
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Buffer.from((padded.match(/.{8}/gu) ?? []).map((byte) => Number.parseInt(byte, 2)));
};
const text = (bytes: Buffer): string | undefined => decodeHuffman(bytes, 0, bytes.length);

describe('Huffman code of HPACK', () => {
  /** Every code of the tree, walked by extending prefixes that decode to nothing yet. */
  before(() => {
    let open = [''];
    for (let bits = 1; bits <= 30; bits++) {
      const next: string[] = [];
      for (const prefix of open)
        for (const bit of '01') {
          const code = prefix + bit;
          // A whole code followed by seven ones at most is padded well; twice the code is two symbols.
          const twice = text(packed(code + code));
          const is = twice !== undefined && twice.length >= 2 && twice[0] === twice[1];
          if (is && text(packed(code))?.[0] === twice[0] && text(packed(code))?.length === 1) {
            const ofLength = CODES.get(bits) ?? new Map<string, string>();
            CODES.set(bits, ofLength.set(twice[0] as string, code));
          } else next.push(code);
        }
      open = next.length > 4_096 ? [] : next;
    }
  });

  it('is a whole prefix code: each symbol has one, and they fill the tree but for the end', () => {
    let share = 0;
    const all = new Set<string>();
    for (let symbol = 0; symbol < 256; symbol++) {
      const code = codeOf(symbol);
      share += 2 ** -code.length;
      all.add(code);
    }
    assert.equal(all.size, 256);
    // EOS alone has the last of the longest codes: thirty ones.
    assert.ok(Math.abs(1 - share - 2 ** -30) < 2 ** -40, String(1 - share));
    // Some of RFC 7541 Appendix B, from each end of it.
    assert.equal(codeOf(48), '00000');
    assert.equal(codeOf(0), '1111111111000');
    assert.equal(codeOf(10), `${'1'.repeat(28)}00`);
    assert.equal(codeOf(255), '11111111111111111111101110');
  });

  it('gives back every string of symbols', () => {
    for (let symbol = 0; symbol < 256; symbol++) {
      const around = `a${String.fromCharCode(symbol)}z${String.fromCharCode((symbol * 7) % 256)}`;
      const bits = [...around].map((unit) => codeOf(unit.charCodeAt(0))).join('');
      assert.equal(text(packed(bits)), around);
    }
    assert.equal(text(Buffer.alloc(0)), '');
  });

  it('refuses the end of string, a byte of padding, and padding that is not of ones', () => {
    assert.equal(text(packed('1'.repeat(30))), undefined);
    assert.equal(text(packed(`${codeOf(97)}${'1'.repeat(30)}`)), undefined);
    for (let symbol = 0; symbol < 256; symbol++) {
      const code = codeOf(symbol);
      assert.equal(text(Buffer.concat([packed(code), Buffer.of(0xff)])), undefined, `${symbol}`);
      if (code.length % 8 === 0) continue;
      const zero = packed(`${code.padEnd(Math.ceil(code.length / 8) * 8 - 1, '1')}0`);
      assert.notEqual(text(zero), String.fromCharCode(symbol), `${symbol}`);
    }
  });
});
