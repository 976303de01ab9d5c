import assert from 'node:assert/strict';
import { keywordDetector } from '../../src/match/keywords.ts';
import type { UnionAutomaton } from '../../src/match/union-automaton.ts';
import { UnionCache } from '../../src/match/union-cache.ts';

const parts = Array.from(
  { length: 12 },
  (_, index) => keywordDetector({ words: [`word${index}`] }).part!,
);

/** Makes it work out states. */
function read(automaton: UnionAutomaton, text: string): void {
  let state = automaton.first;
  for (let at = 0; at < text.length; at++)
    ({ target: state } = automaton.step(state, automaton.classes.of[text.charCodeAt(at)]!));
}

describe('the automata of all lists of rules', () => {
  it('are found again, also when many others were asked for between', () => {
    const cache = new UnionCache();
    const first = cache.automatonFor([parts[0]!, parts[1]!]);
    for (const part of parts) cache.automatonFor([part]);
    assert.equal(cache.automatonFor([parts[0]!, parts[1]!]), first);
    assert.notEqual(cache.automatonFor([parts[1]!, parts[0]!]), first);
  });

  it('are no more than the limit, and those go that were not asked for the longest', () => {
    const cache = new UnionCache({ automataMax: 6, bytesMax: 1 << 30 });
    const made = parts.slice(0, 6).map((part) => cache.automatonFor([part]));
    read(made[1]!, 'word1');
    assert.ok(made[1]!.states.length > 1);
    // The first one is asked for again, so that the second is the oldest.
    cache.automatonFor([parts[0]!]);
    cache.automatonFor([parts[6]!]);
    assert.equal(made[1]!.states.length, 0, 'its states are dropped');
    assert.equal(cache.automatonFor([parts[0]!]), made[0]);
    assert.notEqual(cache.automatonFor([parts[1]!]), made[1]);
  });

  it('take no more bytes than the limit, but for the one that is asked for', () => {
    const own = new UnionCache().automatonFor([parts[0]!]);
    read(own, 'word0');
    const bytesMax = 2 * own.bytesTaken;
    const kept = (bytes: number): number => {
      const cache = new UnionCache({ automataMax: 100, bytesMax: bytes });
      const made = parts.slice(0, 2).map((part) => cache.automatonFor([part]));
      for (const [index, automaton] of made.entries()) read(automaton, `word${index}`);
      cache.automatonFor([parts[2]!]);
      return made.filter(({ states }) => states.length > 0).length;
    };
    const [third] = [new UnionCache().automatonFor([parts[2]!]).bytesTaken];
    assert.equal(kept(bytesMax + third), 2);
    assert.equal(kept(bytesMax + third - 1), 1);
  });
});
