/** The quick form of `npm run detection:injection`: what was reached on texts of our own stays reached. */
import assert from 'node:assert/strict';
import { OWN_TEXTS, type OwnText } from '../../load-tests/detection/injection-sets.ts';
import { injectionDetector } from '../../src/match/injection/injection.ts';
import { TextScanner } from '../../src/match/scanner.ts';
import { matchesIn } from '../../src/match/whole-text.ts';

const detector = injectionDetector({ threshold: 0.8 });

const isFlagged = ({ from, text }: OwnText): boolean =>
  matchesIn(
    [...detector.start({ trust: from === 'user' ? 'user' : 'tool_result', carried: 0 })],
    text,
  ).length > 0;

function countOf(wanted: Partial<OwnText>): [flagged: number, all: number] {
  const texts = OWN_TEXTS.filter((one) =>
    Object.entries(wanted).every(([key, value]) => one[key as keyof OwnText] === value),
  );
  return [texts.filter(isFlagged).length, texts.length];
}

describe('detection of injection', () => {
  it('finds most attacks of many families, also of those that no signal was written for', () => {
    for (const [wanted, least] of [
      [{ from: 'user', heldOut: false }, 0.85],
      [{ from: 'user', heldOut: true }, 0.6],
      [{ from: 'third party', heldOut: false }, 0.9],
      [{ from: 'third party', heldOut: true }, 0.8],
    ] as const) {
      const [flagged, all] = countOf({ ...wanted, attack: true });
      assert.ok(flagged >= least * all, `${flagged} of ${all}: ${JSON.stringify(wanted)}`);
    }
  });

  it('flags hardly anything of what users ask for with the same words', () => {
    const [flagged, all] = countOf({ from: 'user', attack: false });
    assert.ok(all > 250 && flagged <= 0.01 * all, `${flagged} of ${all}`);
  });

  it('flags little of what tools and documents say with the same words', () => {
    const [flagged, all] = countOf({ from: 'third party', attack: false });
    assert.ok(all > 60 && flagged <= 0.05 * all, `${flagged} of ${all}`);
  });

  it('is the same in pieces of any size', () => {
    const found = (text: string, units: number) => {
      const scanner = new TextScanner([{ rule: 0, detector }]);
      for (let at = 0; at < text.length; at += units) scanner.push(text.slice(at, at + units));
      scanner.end();
      return scanner.takeMatches().map(({ start, end }) => [start, end]);
    };
    for (const { text } of OWN_TEXTS)
      for (const units of [1, 7]) assert.deepEqual(found(text, units), found(text, 10_000), text);
  });
});
