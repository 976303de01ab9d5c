import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RE2JS } from 're2js';
import { compileCondition } from '../../src/policy/condition.ts';
import { DEFAULT_LIMITS } from '../../src/policy/limits.ts';
import type { Condition, Conditions } from '../../src/policy/set.ts';

const AT: Conditions = {
  facts: { tenant: 'acme', consent: 'profiling, marketing', risk: '0.7' },
  method: 'POST',
  path: '/v1/chat/completions',
  authority: 'llm.example',
  route: 'chat',
  headers: { 'x-tier': 'free' },
  nowMs: Date.UTC(2026, 4, 1, 13, 30),
  sourceIp: '192.0.2.7',
  claims: { sub: 'ann', groups: ['staff'], org: { unit: 'loans' }, id: 'forged', level: 3 },
  surroundings: {
    posture: () => 'elevated',
    load: () => 0.25,
    feed: (name) =>
      name === 'bad-ips'
        ? new Map([['192.0.2.7', true]])
        : name === 'tiers'
          ? new Map<string, string | number>([
              ['acme', 'gold'],
              ['limit', 5],
            ])
          : undefined,
    session: () => ({ topic: 'loans', topics: ['loans'], flags: ['p/odd'], injection: 0.4 }),
  },
};

function compiled(source: string): Condition {
  const result = compileCondition(source, DEFAULT_LIMITS);
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result.condition;
}

function refused(source: string, limits = DEFAULT_LIMITS): string {
  const result = compileCondition(source, limits);
  return result.ok ? 'ok' : result.code;
}

describe('a condition', () => {
  const outcomes: readonly (readonly [string, boolean | 'throws'])[] = [
    ['tenant == "acme" && route == "chat"', true],
    ['region == ""', true],
    ['!("profiling" in consent)', false],
    ['!("selling" in consent)', true],
    ['headers["x-tier"] == "free"', true],
    ['"x-other" in headers', false],
    ['headers["x-other"] == ""', 'throws'],
    ['headers["constructor"] == ""', 'throws'],
    ['has(headers.toString)', false],
    ['headers.exists(name, name.startsWith("x-"))', true],
    ['request.method == "POST" && request.host == authority && request.path == path', true],
    ['time.getHours() == 13', true],
    ['time > timestamp("2026-05-01T13:29:59.999Z")', true],
    ['time > timestamp("2026-05-01T13:30:00Z")', false],
    ['double(risk) > 0.5', true],
    ['risk > 0.5 && risk < 1', true],
    ['risk == 0.7', true],
    ['principal.sub == "ann" && "staff" in principal.groups', true],
    ['principal.org.unit == "loans" && principal.level == 3', true],
    ['principal.id == ""', true],
    ['principal.role == "x"', 'throws'],
    ['principal.role == "x" || true', true],
    ['has(principal.role)', false],
    ['posture == "elevated"', true],
    ['posture in ["elevated", "attack"]', true],
    ['load < 0.5', true],
    ['source.ip in feed["bad-ips"]', true],
    ['"192.0.2.8" in feed["bad-ips"]', false],
    ['source.ip in feed["none"]', 'throws'],
    ['"none" in feed || "bad-ips" in feed', true],
    ['feed.tiers.acme == "gold" && feed["tiers"]["limit"] == 5.0', true],
    ['session.topic == "loans" && "p/odd" in session.flags', true],
    ['session.injection > 0.3 && session.topics.exists(one, one == "loans")', true],
    ['session.id == ""', true],
    ['double(region) > 0.5', 'throws'],
    ['int(region) == 0', 'throws'],
    ['int("9223372036854775808") == 0', 'throws'],
    ['int("+7") == 7', true],
    ['headers.sub == "x" || true', true],
    ['time - timestamp("2026-05-01T13:00:00Z") == duration("1800s")', true],
    ['(consent + [tenant]).size() == 3', true],
    ['dyn(tenant) == 1', false],
    ['{"acme": 0.5}[tenant] < risk', true],
    ['tenant.matches("^ac.e$")', true],
  ];
  for (const [source, expected] of outcomes) {
    it(`${source} → ${expected}`, () => {
      const condition = compiled(source);
      if (expected === 'throws') {
        assert.throws(
          () => condition.holds(AT),
          (error: Error) => {
            assert.equal(error.name, 'ConditionError');
            for (const value of ['acme', 'free', '0.7', 'profiling', 'chat']) {
              assert.ok(!error.message.includes(value));
            }
            return true;
          },
        );
      } else {
        assert.equal(condition.holds(AT), expected);
      }
    });
  }

  it('says what it reads, without its own loop variables', () => {
    const { reads } = compiled('headers.exists(model, model == tenant) || has(request.path)');
    assert.deepEqual([...reads].sort(), ['headers', 'request', 'tenant']);
    assert.ok(compiled('model == "x"').reads.has('model'));
  });

  for (const risk of ['0', '1', '0.5', '.5', '1.0', '0.99999999999999999'])
    it(`takes ${risk} for a risk`, () => {
      const { holds } = compiled('risk >= 0.0 && risk <= 1.0');
      assert.equal(holds({ ...AT, facts: { risk } }), true);
    });

  for (const risk of ['85', '1.01', '-0.1', '0,5', 'high', '1e-1', '0x1', 'NaN', '', ' 0.5'])
    it(`never guesses what ${JSON.stringify(risk)} means as a risk`, () => {
      const { holds } = compiled('risk >= 0.0');
      assert.throws(() => holds({ ...AT, facts: { risk } }), { name: 'ConditionError' });
      assert.equal(compiled('risk > 0.5 || true').holds({ ...AT, facts: { risk } }), true);
    });

  it('without surroundings stands in quiet ones', () => {
    const quiet = { ...AT };
    Reflect.deleteProperty(quiet, 'surroundings');
    const source = 'posture == "normal" && load == 0.0 && session.topic == "" && !("x" in feed)';
    assert.equal(compiled(source).holds(quiet), true);
  });

  it('asks only for what it names', () => {
    const never = (): never => assert.fail('was asked for');
    const surroundings = { posture: never, load: never, feed: never, session: never };
    const guarded = {
      ...AT,
      surroundings,
      get claims() {
        return never();
      },
    };
    assert.equal(compiled('tenant == "acme" && risk > 0.5').holds(guarded), true);
    assert.throws(() => compiled('load > 0.5').holds(guarded));
  });

  it('absent consent is no consent', () => {
    assert.equal(compiled('"profiling" in consent').holds({ ...AT, facts: {} }), false);
  });
});

describe('a condition is refused', () => {
  const refusals: readonly (readonly [string, string])[] = [
    ['tenant ==', 'when_syntax'],
    ['tenant.matches("(")', 'when_syntax'],
    ['tennant == "x"', 'when_unknown_name'],
    ['[1].exists(x, y == x)', 'when_unknown_name'],
    ['request.hots == ""', 'when_unknown_name'],
    ['tenant.sartsWith("x")', 'when_unknown_name'],
    ['google.protobuf.Empty{} == 1', 'when_unknown_name'],
    ['constructor == ""', 'when_unknown_name'],
    ['phase == "request"', 'unsupported_construct'],
    ['risk == "0.7"', 'when_type'],
    ['principal == "x"', 'when_type'],
    ['session == "x"', 'when_type'],
    ['session.topc == "loans"', 'when_unknown_name'],
    ['source.port == 1', 'when_unknown_name'],
    ['load > "0.5"', 'when_type'],
    ['feed["bad"] == "x"', 'when_type'],
    ['tenant', 'when_type'],
    ['posture == "atack"', 'when_unknown_name'],
    ['posture in ["attack", "elevatd"]', 'when_unknown_name'],
    ['tenant + "x"', 'when_type'],
    ['tenant.sub == "x"', 'when_type'],
    ['1 + "a" == 2', 'when_type'],
    ['1 + 1.0 == 2.0', 'when_type'],
    ['time.getHours() + 0.5 > 8.0', 'when_type'],
    ['time > "2026-05-01"', 'when_type'],
    ['!tenant', 'when_type'],
    ['tenant && true', 'when_type'],
    ['tenant ? true : false', 'when_type'],
    ['(region == "" ? 1 : 2) == "x"', 'when_type'],
    ['"a" in tenant', 'when_type'],
    ['1 in consent', 'when_type'],
    ['consent["x"] == "y"', 'when_type'],
    ['headers[1] == "y"', 'when_type'],
    ['has(tenant.x)', 'when_type'],
    ['tenant.exists(c, c == "x")', 'when_type'],
    ['consent.exists(c, c > 1)', 'when_type'],
    ['size(risk > 0 ? 1 : 2) == 1', 'when_type'],
    ['headers["x"].getHours() == 1', 'when_type'],
    ['[1, 2] == ["a"]', 'when_type'],
    ['string == 1', 'when_type'],
    ['1 + 1 == "2" || tenant == 2', 'when_type'],
    ['consent == "profiling"', 'when_type'],
    ['consent.contains("profiling")', 'when_type'],
    ['headers["x"] > 5', 'when_type'],
  ];
  for (const [source, code] of refusals) {
    it(`${source}: ${code}`, () => assert.equal(refused(source), code));
  }

  it('beyond each limit, and not at it', () => {
    const source = 'tenant == "a"';
    const with_ = (limits: Partial<typeof DEFAULT_LIMITS>) => ({ ...DEFAULT_LIMITS, ...limits });
    assert.equal(refused(source, with_({ whenCharsMax: source.length })), 'ok');
    assert.equal(refused(source, with_({ whenCharsMax: source.length - 1 })), 'when_too_complex');
    assert.equal(refused(source, with_({ whenNodesMax: 3 })), 'ok');
    assert.equal(refused(source, with_({ whenNodesMax: 2 })), 'when_too_complex');
    for (const deep of [
      (depth: number) => `${'('.repeat(depth)}true${')'.repeat(depth)}`,
      (depth: number) => `${'!'.repeat(depth)}true`,
      (depth: number) => `${'true ? false : '.repeat(depth)}true`,
    ]) {
      assert.equal(refused(deep(3), with_({ whenDepthMax: 3 })), 'ok');
      assert.equal(refused(deep(4), with_({ whenDepthMax: 3 })), 'when_too_complex');
      assert.equal(refused(deep(1_000), with_({ whenCharsMax: 100_000 })), 'when_too_complex');
    }
    const loops = '[1].all(a, [a].all(b, a == b))';
    assert.equal(refused(loops), 'when_too_complex');
    assert.equal(refused(loops, with_({ whenLoopsMax: 2 })), 'ok');
  });

  it('a pattern that is dearer to compile than a condition may be', () => {
    assert.equal(refused(`path.matches("${'(.?){99}'.repeat(50)}")`), 'when_too_complex');
    assert.equal(refused('authority.matches(r"^[a-z]{1,63}(\\.[a-z]{1,63}){1,3}$")'), 'ok');
  });
});

describe('a pattern', () => {
  /** How often one is compiled meanwhile. */
  function compilations(action: () => void): number {
    const { compile } = RE2JS;
    let count = 0;
    RE2JS.compile = (...args) => {
      count++;
      return compile.apply(RE2JS, args);
    };
    try {
      action();
    } finally {
      RE2JS.compile = compile;
    }
    return count;
  }

  it('is compiled with the condition that names it, and never again', () => {
    const condition = compiled('path.matches("^/v[0-9]/once") || path.matches("^/v1/chat")');
    const asked = (): void => {
      for (let round = 0; round < 3; round++) assert.equal(condition.holds(AT), true);
    };
    assert.equal(compilations(asked), 0);
  });

  it('that a fact brings is compiled where it is met, and no other gives way to it', () => {
    const named = compiled('path.matches("^/v1/named")');
    const brought = compiled('path.matches(headers["x-pattern"])');
    const met = compilations(() => {
      for (let one = 0; one < 5_000; one++)
        brought.holds({ ...AT, headers: { 'x-pattern': `^/v1/${one}` } });
    });
    assert.equal(met, 5_000);
    assert.equal(
      compilations(() => assert.equal(named.holds(AT), false)),
      0,
    );
  });
});

describe('a condition takes a bounded number of steps', () => {
  const long = { ...AT, path: `/${'a'.repeat(60_000)}`, headers: { many: '(a?){999}'.repeat(3) } };
  const chain = (step: string): string => step.repeat(40);
  const bombs: readonly (readonly [string, string])[] = [
    ['lists that double', `[[1]]${chain('.map(x, x + x)')}.exists(x, 2 in x)`],
    ['texts that double', `["ab"]${chain('.map(x, x + x)')}.exists(x, x.contains("c"))`],
    ['lists that hold another twice', `[[1]]${chain('.map(x, [x, x])')}.exists(x, x == [x])`],
    ['maps that do', `[{"a": 1}]${chain('.map(x, {"a": x, "b": x})')}.all(x, [x] == [x, x])`],
    ['one long list in another', `[${'1,'.repeat(400)}1].exists(x, 2 in [${'1,'.repeat(400)}1])`],
    ['long texts', `[${'1,'.repeat(300)}1].exists(x, size(path) < x)`],
    ['patterns that somebody else writes', 'path.matches(headers["many"])'],
    ['patterns in a loop', `[${'1,'.repeat(300)}1].exists(x, path.matches("a{9}b"))`],
  ];
  for (const [name, source] of bombs)
    it(name, () => {
      assert.throws(() => compiled(source).holds(long), /more steps than `whenStepsMax`/);
      // What one has taken is not missing from the next.
      assert.equal(compiled('size(path) == 60001').holds(long), true);
    });

  it('at the limit, and not beyond it', () => {
    const source = '[1, 2, 3].exists(x, x == 4)';
    const outcome = (whenStepsMax: number): unknown => {
      const result = compileCondition(source, { ...DEFAULT_LIMITS, whenStepsMax });
      assert.ok(result.ok);
      return result.condition.holds(AT);
    };
    // Three comparisons, each a call of two elements, and three that ask whether one was found.
    assert.equal(outcome(12), false);
    assert.throws(() => outcome(11), /more steps/);
  });

  it('looks things up in feeds of any length', () => {
    const entries = new Map(Array.from({ length: 200_000 }, (_, at) => [`w${at}`, true] as const));
    const surroundings = { ...AT.surroundings!, feed: () => entries };
    const source = '"w199999" in feed.words && !(tenant in feed.words)';
    assert.equal(compiled(source).holds({ ...AT, surroundings }), true);
  });
});
