import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type TopicOptions, topicDetector, topicLabel } from '../../src/match/topic/topic.ts';
import { TOPIC_NAMES, VOCABULARIES } from '../../src/match/topic/vocabularies.ts';
import { matchesIn } from '../../src/match/whole-text.ts';
import { scan } from './oracle.ts';

const about = (name: string, text: string, options: Partial<TopicOptions> = {}): boolean =>
  topicDetector({ name, threshold: 0.6, ...options }).matches(text);

const SAID: Readonly<Record<(typeof TOPIC_NAMES)[number], string>> = {
  finance: 'A mortgage at a fixed interest rate is safer than the stock market.',
  medical: 'The doctor changed the dosage because of side effects.',
  legal: 'Your attorney can file a lawsuit for breach of contract.',
  politics: 'Before the general election the senator spoke in parliament.',
  violence: 'He was stabbed, and the murderer threatened to kill them.',
  self_harm: 'I want to die, there is no reason to live.',
  gambling: 'At the casino we played roulette and then placed bets.',
  sexual: 'An erotic story with naked people having sex.',
  drugs: 'Selling cocaine and heroin is a crime.',
  weapons: 'He bought a handgun and ammunition.',
};

describe('topic', () => {
  for (const name of TOPIC_NAMES)
    it(`${name} is what its words are about, and no other topic of them`, () => {
      assert.ok(about(name, SAID[name]), name);
      for (const other of TOPIC_NAMES)
        if (other !== name && !(name === 'weapons' && other === 'violence'))
          assert.ok(!about(other, SAID[name]), `${name} is not ${other}`);
    });

  it('is none of what people talk about otherwise', () => {
    for (const name of TOPIC_NAMES)
      for (const text of [
        'What is a bank holiday? I like to walk along the river bank.',
        'The recipe needs two eggs and a pinch of salt.',
        'Write a function that reverses a string in place.',
      ])
        assert.ok(!about(name, text), `${name}: ${text}`);
  });

  it('is found in other languages, and in look-alike letters', () => {
    assert.ok(about('finance', 'Die Hypothek hat einen festen Zinssatz.'));
    assert.ok(about('finance', 'La hipoteca tiene un tipo fijo; los tipos de interés suben.'));
    assert.ok(about('finance', 'L’hypothèque et le taux d’intérêt.'));
    assert.ok(about('finance', 'mоrtgаge and ＤＩＶＩＤＥＮＤＳ'));
  });

  it('takes terms of the author, alone and beside a built-in topic', () => {
    const terms = { 'Project Zebra': 0.7, zebra: 0.3 };
    assert.ok(about('ours', 'News of project  zebra', { terms }));
    assert.ok(!about('ours', 'A zebra in the zoo, a zebra, zebras', { terms }));
    assert.ok(!about('finance', 'A yield curve'));
    assert.ok(about('finance', 'A yield curve', { terms: { 'yield curve': 0.8 } }));
    // What would be a pattern is a word here.
    assert.ok(about('ours', 'see ~3 now', { terms: { 'see ~3 now': 0.9 } }));
  });

  it('says which kind of word and where, never the word', () => {
    const detector = topicDetector({ name: 'finance', threshold: 0.6 });
    const [match] = matchesIn([...detector.start()], SAID.finance);
    assert.equal(match?.label, 'TOPIC_FINANCE');
    assert.deepEqual(
      match?.signals?.map(({ id, weight }) => [id, weight]),
      [
        ['finance.strong', 0.46],
        ['finance.weak', 0.1],
        ['finance.strong', 0.46],
      ],
    );
    assert.equal(topicLabel('our-own topic'), 'TOPIC_OUR_OWN_TOPIC');
  });

  it('needs words that stand together', () => {
    const filler = 'The sea is wide and the night is long. '.repeat(100);
    assert.ok(!about('finance', `A mortgage. ${filler} A dividend.`));
    assert.ok(about('finance', `A mortgage. A dividend. ${filler}`));
  });

  it('counts a term once, in any of its languages', () => {
    assert.ok(!about('finance', 'mortgage, mortgages, Hypothek, hipoteca, mortgage'));
  });

  it('finds the same in the same text, however it is cut', () => {
    const detector = topicDetector({ name: 'finance', threshold: 0.3 });
    const words = VOCABULARIES.finance.strong.flatMap((term) =>
      term.replaceAll('*', 's').split('|'),
    );
    const texts = fc
      .array(fc.constantFrom(...words, 'and', '.', '\u200b', 'x'), { maxLength: 30 })
      .map((all) => all.join(' '));
    fc.assert(
      fc.property(texts, (text) => {
        // `scan` pushes unit by unit, too, and compares.
        const whole = matchesIn([...detector.start()], text);
        assert.deepEqual(
          scan(detector, text),
          whole.map(({ start, end }) => [start, end]),
        );
      }),
      { numRuns: 200 },
    );
  });
});
