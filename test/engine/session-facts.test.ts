import assert from 'node:assert/strict';
import type { Finding } from '../../src/engine/findings.ts';
import { SESSION_WORDS_MAX, SessionFactMemory, TurnFacts } from '../../src/engine/session-facts.ts';
import type { Rule } from '../../src/policy/set.ts';
import { NO_SESSION } from '../../src/policy/surroundings.ts';
import { compile, VirtualClock } from './rig.ts';

const RULES = compile(`kind: Policy
metadata: { name: p, layer: platform }
class: operational
rules:
  - { id: loans, inspect: [request], match: { topic: { name: loans, threshold: 0.5, terms: { loan: 0.9 } } }, then: flag }
  - { id: money, inspect: [request], match: { topic: { name: finance, threshold: 0.5 } }, then: flag }
  - { id: trick, inspect: [request], match: { injection: { threshold: 0.5 } }, then: flag }
  - { id: stop, inspect: [request], match: { keywords: { words: [x] } }, then: block }
`).rules;

const rule = (id: string): Rule => {
  const found = RULES.find((one) => one.id === `p/${id}`);
  assert.ok(found);
  return found;
};

function turn(...found: readonly (readonly [id: string, score?: number, enforced?: boolean])[]) {
  const facts = new TurnFacts();
  for (const [id, score, enforced = true] of found)
    facts.add({
      rule: rule(id),
      label: 'L',
      text: '',
      start: 0,
      end: 0,
      enforced,
      effect: { kind: enforced ? 'flag' : 'shadow' },
      ...(score !== undefined && { score }),
    } satisfies Finding);
  return facts;
}

const memory = (subjectsMax = 10, clock = new VirtualClock()) =>
  new SessionFactMemory(clock, { subjectsMax, subjectIdleMsMax: 1_000 });

describe('what a session has shown', () => {
  it('is the last topic, all topics, what flagged and the highest injection score', () => {
    const kept = memory();
    kept.learn('s', turn(['money', 0.8], ['loans', 0.9]));
    assert.deepEqual(kept.read('s'), {
      topic: 'loans',
      topics: ['finance', 'loans'],
      flags: ['p/money', 'p/loans'],
      injection: 0,
    });
    kept.learn('s', turn(['trick', 0.7], ['money', 0.6]));
    kept.learn('s', turn(['trick', 0.55], ['stop']));
    assert.deepEqual(kept.read('s'), {
      topic: 'finance',
      topics: ['loans', 'finance'],
      flags: ['p/loans', 'p/money', 'p/trick'],
      injection: 0.7,
    });
  });

  it('is nothing of what a rule in shadow saw, of another session, or of none', () => {
    const kept = memory();
    kept.learn('s', turn(['money', 0.8, false], ['trick', 0.9, false]));
    kept.learn(undefined, turn(['money', 0.8]));
    kept.learn('other', turn(['money', 0.8]));
    assert.equal(kept.read('s'), NO_SESSION);
    assert.equal(kept.read(undefined), NO_SESSION);
  });

  it('is forgotten when nobody comes back, and by whoever came longest ago beyond the limit', () => {
    const clock = new VirtualClock();
    const kept = memory(2, clock);
    kept.learn('a', turn(['money', 0.8]));
    clock.advance(999);
    kept.learn('b', turn(['money', 0.8]));
    assert.equal(kept.read('a').topic, 'finance');
    kept.learn('c', turn(['money', 0.8]));
    assert.deepEqual([kept.read('b').topic, kept.read('a').topic], ['', 'finance']);
    clock.advance(1_000);
    assert.equal(kept.read('a').topic, '');
  });

  it('is bounded', () => {
    const kept = memory();
    for (let index = 0; index <= SESSION_WORDS_MAX; index++) {
      const topics = new Set([`t${index}`]);
      const flags = new Set([`p/f${index}`]);
      kept.learn('s', { topics, flags, injection: 0, empty: false });
    }
    const { topics, flags } = kept.read('s');
    assert.deepEqual([topics.length, flags.length], [SESSION_WORDS_MAX, SESSION_WORDS_MAX]);
    assert.deepEqual([topics[0], flags[0]], ['t1', 'p/f1']);
  });
});
