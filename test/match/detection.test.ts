/** The quick form of `npm run detection`: what was reached on sentences of our own stays reached. */
import assert from 'node:assert/strict';
import { judge, type LabelledText, ratesOf, sumOf } from '../../load-tests/detection/scoring.ts';
import { sentences } from '../../load-tests/detection/sentences.ts';
import { piiDetector } from '../../src/match/pii.ts';
import { TextScanner } from '../../src/match/scanner.ts';

const detector = piiDetector({ entities: ['all'] });

const ours = ({ text }: LabelledText) => {
  const scanner = new TextScanner([{ rule: 0, detector }]);
  scanner.push(text);
  scanner.end();
  return scanner.takeMatches().map(({ start, end, label }) => ({ start, end, type: label }));
};

describe('detection', () => {
  const texts = sentences(900);

  it('finds nearly all that is in our own sentences, and hardly anything else', () => {
    const { byType, misses, alarms } = judge(texts, ours, new Set(detector.labels));
    const { precision, recall } = ratesOf(sumOf(byType.values()));
    assert.ok(precision >= 0.98, JSON.stringify(alarms));
    assert.ok(recall >= 0.98, JSON.stringify(misses));
  });

  it('finds nothing in sentences with orders, versions, hashes, dates and prices', () => {
    const clean = texts.filter(({ spans }) => spans.length === 0);
    assert.ok(clean.length > 200);
    const { alarms } = judge(clean, ours, new Set(detector.labels));
    assert.deepEqual(alarms, []);
  });

  it('is counted by span: overlapping ones of a type are one, and each counts once', () => {
    const text = {
      id: 'x',
      text: 'a b',
      spans: [
        { start: 0, end: 1, type: 'A' },
        { start: 2, end: 3, type: 'A' },
      ],
    };
    const found = [
      { start: 0, end: 1, type: 'A' },
      { start: 0, end: 1, type: 'A' },
      { start: 1, end: 2, type: 'A' },
    ];
    const { byType } = judge([text], () => found, new Set(['A']));
    assert.deepEqual(byType.get('A'), { found: 1, missed: 1, falseAlarms: 1 });
    const only = { id: 'y', text: 'a', spans: [], only: 'B' };
    assert.equal(judge([only], () => found, new Set(['A', 'B'])).alarms.length, 0);
    assert.equal(ratesOf({ found: 1, missed: 1, falseAlarms: 2 }).f1, 0.4);
  });
});
