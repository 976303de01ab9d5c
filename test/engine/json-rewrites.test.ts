/** The arguments of a tool stay JSON of the same shape, whatever a rule changes in them (docs/adr/0007). */
import assert from 'node:assert/strict';
import { answer, chatStream, compile, type Rig, rig } from './rig.ts';

const SET = compile(`
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: digits, inspect: [tool_call], match: { regex: { pattern: '3456' } }, then: { rewrite: { with: X } } }
  - { id: over, inspect: [tool_call], match: { regex: { pattern: 'secret.{0,14}' } }, then: { rewrite: { with: '"gone"' } } }
  - { id: empty, inspect: [tool_call], match: { regex: { pattern: '\\[\\]' } }, then: redact }
`);

const eventsOf = (parts: readonly string[]): Uint8Array =>
  chatStream(
    parts.map((part) => ({
      delta: { tool_calls: [{ index: 0, function: { arguments: part } }] },
    })),
  );

function argumentsIn(stream: string): string {
  return stream
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .flatMap((event) => JSON.parse(event.slice(6)).choices as readonly { delta?: Delta }[])
    .map(({ delta }) => delta?.tool_calls?.[0]?.function?.arguments ?? '')
    .join('');
}

interface Delta {
  readonly tool_calls?: readonly { readonly function?: { readonly arguments?: string } }[];
}

/** The arguments as they leave, the same however they are cut in two. */
function changed(args: string): string {
  const whole = argumentsIn(answer(rig(SET), [eventsOf([args])]).text);
  for (let cut = 1; cut < args.length; cut++) {
    const parts = eventsOf([args.slice(0, cut), args.slice(cut)]);
    assert.equal(argumentsIn(answer(rig(SET), [parts]).text), whole, `cut at ${cut}`);
  }
  const single = eventsOf([...args]);
  assert.equal(argumentsIn(answer(rig(SET), [single]).text), whole);
  return whole;
}

const codesOf = ({ records }: Rig): readonly string[] => records.map(({ code }) => code);

describe('arguments of a tool that a rule changes', () => {
  it('have a string for a number of which a part was changed', () => {
    assert.deepEqual(JSON.parse(changed('{"a":12345678,"b":[3456,-1.5e3]}')), {
      a: '12X78',
      b: ['X', -1.5e3],
    });
    assert.deepEqual(JSON.parse(changed('[345634560]')), ['XX0']);
  });

  it('keep their shape where a match goes over it', () => {
    const args = '{"secret":"hunter2 and","n":7,"rest":"of it"}';
    const shape = JSON.parse(changed(args));
    assert.equal(Object.keys(shape).length, 3);
    assert.doesNotMatch(JSON.stringify(shape), /secret|hunter2/);
    assert.equal(shape.rest, 'of it');
  });

  it('say what replaces it in each string and value that it covers', () => {
    assert.deepEqual(JSON.parse(changed('["my secret",12,true,"after that"]')), [
      'my "gone"',
      '"gone"',
      '"gone"',
      '"gone"er that',
    ]);
  });

  it('end where a match covers nothing but structure', () => {
    const from = rig(SET);
    const { text } = answer(from, [eventsOf(['{"list":', '[]', ',"x":1}'])]);
    assert.equal(argumentsIn(text), '{"list":');
    assert.match(text, /content_filter/);
    assert.deepEqual(codesOf(from).slice(-1), ['unreadable_body']);
  });

  it('are left alone where nothing matches', () => {
    const args = '{"a":12,"b":"x"}';
    assert.equal(changed(args), args);
  });
});
