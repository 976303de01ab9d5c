import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import fc from 'fast-check';
import { type FeedKind, type ParsedFeed, readFeed } from '../../src/policy/feed.ts';
import { Networks } from '../../src/policy/networks.ts';

/** In one go. */
function parseFeed(kind: FeedKind, text: string, entriesMax: number): ParsedFeed {
  const reading = readFeed(kind, text, entriesMax);
  for (;;) {
    const step = reading.next();
    if (step.done) return step.value;
  }
}

const entriesOf = (kind: FeedKind, text: string, entriesMax = 100) => {
  const parsed = parseFeed(kind, text, entriesMax);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.fault);
  return parsed.entries;
};

const faultOf = (kind: FeedKind, text: string, entriesMax = 100): string => {
  const parsed = parseFeed(kind, text, entriesMax);
  assert.ok(!parsed.ok, 'it was taken');
  return parsed.fault;
};

describe('the document of a feed', () => {
  it('is one word a line, with comments, or a JSON list', () => {
    const text = '# known bad\r\nacme\n\n  two words \n#no\nc#\n';
    assert.deepEqual([...entriesOf('words', text).keys()], ['acme', 'two words', 'c#']);
    assert.deepEqual([...entriesOf('words', ' ["a", "# b"]').keys()], ['a', '# b']);
  });

  it('is one network a line, as such lists are published', () => {
    const entries = entriesOf('networks', '; drop\n192.0.2.0/24 ; SBL1\n2001:db8::/32 # doc\n');
    assert.deepEqual(
      ['192.0.2.255', '192.0.3.0', '2001:db8::1', '2001:db9::', 'x', ''].map((ip) =>
        entries.has(ip),
      ),
      [true, false, true, false, false, false],
    );
    assert.equal(entries.size, 2);
  });

  it('is a JSON object', () => {
    const entries = entriesOf('map', '{"acme": "gold", "limit": 5, "on": true, "__proto__": "x"}');
    assert.deepEqual(
      ['acme', 'limit', 'on', '__proto__', 'toString'].map((key) => entries.get(key)),
      ['gold', 5, true, 'x', undefined],
    );
  });

  it('may be of nothing, where that is said', () => {
    for (const [kind, text] of [
      ['words', '# nothing'],
      ['networks', '[]'],
      ['map', '{}'],
    ] as const)
      assert.equal(entriesOf(kind, text).size, 0);
  });

  const broken: readonly (readonly [FeedKind, string, RegExp])[] = [
    ['words', '', /empty/],
    ['networks', ' \n', /empty/],
    ['words', '["a", 7]', /JSON list/],
    ['words', '["a"', /JSON list/],
    ['networks', '192.0.2.0/24\n192.0.2.1/24\n', /entry 2 /],
    ['networks', '192.0.2.0/33', /entry 1 /],
    ['networks', '192.0.2', /entry 1 /],
    ['networks', '192.0.2.010', /entry 1 /],
    ['networks', '2001:db8::1::2', /entry 1 /],
    ['networks', '<html>', /entry 1 /],
    ['networks', '["192.0.2.1", ""]', /entry 2 /],
    ['map', '["a"]', /JSON object/],
    ['map', 'null', /JSON object/],
    ['map', '{"a": 1, "b": {}}', /entry 2 /],
  ];
  for (const [kind, text, fault] of broken)
    it(`is not taken in part: ${kind} of ${JSON.stringify(text)}`, () => {
      const said = faultOf(kind, text);
      assert.match(said, fault);
      // A feed may hold what nobody should read in a status.
      assert.ok(!said.includes('html') && !said.includes('2001'));
    });

  it('is read in steps, whatever it is made of', () => {
    for (const [kind, text] of [
      ['words', 'word\n'.repeat(10_000)],
      ['words', `${'\n'.repeat(10_000)}word`],
      ['words', `# none${'\n#'.repeat(10_000)}`],
      ['networks', '192.0.2.0/24\n'.repeat(10_000)],
      ['words', JSON.stringify(Array.from({ length: 10_000 }, () => 'word'))],
      ['map', JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [n, n])))],
    ] as const) {
      const steps = [...readFeed(kind, `${text} `, 20_000)].length;
      assert.ok(steps >= 10_000 / 64 - 1, `${kind}: ${steps}`);
    }
  });

  it('has at most so many entries', () => {
    for (const [kind, three] of [
      ['words', 'a\nb\nc'],
      ['networks', '192.0.2.1\n192.0.2.2\n192.0.2.3'],
      ['map', '{"a":1,"b":2,"c":3}'],
    ] as const) {
      assert.equal(entriesOf(kind, three, 3).size, 3);
      assert.match(faultOf(kind, three, 2), /more than 2/);
    }
  });
});

describe('networks', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const near = fc.constantFrom(0, 1, 127, 128, 192, 255);
  const ipv4 = fc.tuple(near, near, near, byte).map((parts) => parts.join('.'));
  const group = fc.constantFrom('0', '1', 'ff', '8000', 'FFFF');
  const ipv6 = fc
    .array(group, { minLength: 8, maxLength: 8 })
    .map((groups) => groups.join(':'))
    .map((text) => text.replace(/(?:^|:)0(?::0)+(?:$|:)/u, '::'));

  it('have what the same list of Node has', () => {
    const network = fc.oneof(
      fc.tuple(ipv4, fc.integer({ min: 1, max: 32 }), fc.constant('ipv4' as const)),
      fc.tuple(ipv6, fc.integer({ min: 1, max: 128 }), fc.constant('ipv6' as const)),
    );
    fc.assert(
      fc.property(
        fc.array(network, { maxLength: 6 }),
        fc.array(fc.oneof(ipv4, ipv6), { minLength: 1, maxLength: 8 }),
        (listed, asked) => {
          const ours = new Networks();
          const theirs = new BlockList();
          // Only what has no bits beyond its prefix is a network to us.
          for (const [address, length, family] of listed)
            if (ours.include(`${address}/${length}`)) theirs.addSubnet(address, length, family);
          for (const ip of asked)
            assert.equal(ours.has(ip), theirs.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4'), ip);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('take an address that maps an IPv4 one for that one', () => {
    const networks = new Networks();
    assert.ok(networks.include('192.0.2.0/24') && networks.include('::ffff:198.51.100.0/120'));
    for (const ip of ['::ffff:192.0.2.9', '::FFFF:c000:209', '198.51.100.7'])
      assert.equal(networks.has(ip), true, ip);
    assert.equal(networks.has('::192.0.2.9'), false);
    assert.equal(networks.include('::ffff:0.0.0.0/95'), false);
  });

  it('of all lengths are one look-up for each, and count once', () => {
    const networks = new Networks();
    assert.ok(networks.include('0.0.0.0/0') && networks.include('0.0.0.0/0'));
    assert.deepEqual(
      [networks.size, networks.has('203.0.113.9'), networks.has('::1')],
      [1, true, false],
    );
  });
});
