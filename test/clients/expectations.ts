/** Holds what a client said to what it should say: an outcome in the words of the client. */
import assert from 'node:assert/strict';
import { USAGE } from './mock-provider.ts';
import { isThrown, type Manner, type Said, type Thrown } from './said.ts';
import type { Outcome, Scene } from './scenes.ts';
import type { HalfCall, Words } from './words.ts';

/** What a client is to get, with the peculiarities of its API: a last word on the scene. */
export function outcomeOf(scene: Scene, manner: Manner, words: Words): Outcome {
  const outcome = manner === 'document' ? scene.whole : (scene.streamed ?? scene.whole);
  const firstWord = outcome.kind === 'refused' && outcome.text === '' && !outcome.half;
  // Nothing has left yet, as this API says nothing before its first word.
  return words.firstWordIsError && firstWord && scene.whole.kind === 'error'
    ? scene.whole
    : outcome;
}

/** Fails unless `said` is `outcome` as this client words it. */
export function assertSaid(said: Said, outcome: Outcome, manner: Manner, words: Words): void {
  switch (outcome.kind) {
    case 'answer': {
      const { text, calls = [] } = outcome;
      const finish = calls.length > 0 ? words.calls : words.stop;
      assert.deepEqual(said, { text, refusal: '', finish, calls, usage: USAGE });
      return;
    }
    case 'error':
      assertThrown(said, outcome, words);
      return;
    case 'refused':
      assertRefused(said, outcome, manner, words);
  }
}

function assertThrown(said: Said, outcome: Outcome & { kind: 'error' }, words: Words): void {
  assert.ok(isThrown(said), JSON.stringify(said));
  const { error, status, message, text } = said;
  const wanted = words.errors[outcome.status as keyof Words['errors']];
  assert.deepEqual({ error, status, text }, { error: wanted, status: outcome.status, text: '' });
  assert.ok(message.includes(outcome.message), message);
  assert.equal(said.decision !== undefined, outcome.by !== 'provider', JSON.stringify(said));
}

function assertRefused(
  said: Said,
  outcome: Outcome & { kind: 'refused' },
  manner: Manner,
  words: Words,
): void {
  const { message, text, calls = [], half } = outcome;
  const collect = manner === 'collect' ? words.collect : undefined;
  if (collect?.throws !== undefined) {
    const { error, refusal } = said as Thrown;
    assert.deepEqual(
      { error, text: said.text, refusal },
      { error: collect.throws, text, refusal: message },
    );
    return;
  }
  assert.ok(!isThrown(said), JSON.stringify(said));
  const instead = outcome.unasked || manner === 'document';
  const shown = (instead && words.refusal.instead) || words.refusal;
  const before = collect?.refusalAlone ? '' : text;
  assert.deepEqual(
    { text: said.text, refusal: said.refusal, finish: said.finish, calls: said.calls },
    {
      text: shown.message === 'text' ? `${before}${message}` : before,
      refusal: shown.message === 'own' ? message : '',
      finish: words.refusal.finish,
      calls: collect?.refusalAlone ? [] : [...calls, ...halfCall(half, collect?.half, words)],
    },
  );
}

function halfCall(half: string | undefined, collected: HalfCall | undefined, words: Words) {
  const shape = collected ?? words.half;
  if (half === undefined || shape === 'dropped') return [];
  // A lenient parser leaves out the member whose value has not come.
  return [{ name: 'send_mail', arguments: shape === 'text' ? half : { to: 'desk' } }];
}
