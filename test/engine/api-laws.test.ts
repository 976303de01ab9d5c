import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Api, anthropic, converse, cutAt, eventsIn, responses } from './apis.ts';
import { compile, rig } from './rig.ts';

const SET = compile(`
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: rival, inspect: [response], match: { keywords: { words: [Bank A] } }, then: { rewrite: { with: another bank } } }
  - { id: pii, inspect: [response], match: { pii: { entities: [email, credit_card] } }, then: redact }
  - { id: zebra, inspect: [response], match: { keywords: { words: [Project Zebra] } }, then: { block: { message: No. } } }
`);

const TEXT = 'Ask Bank A or mail joe.doe@acme.example, card 4111 1111 1111 1111 now. Banks Abroad.';
const MASKED = 'Ask another bank or mail [EMAIL_1], card [CREDIT_CARD_1] now. Banks Abroad.';
const SECRET = 'We mail a@b.co about Project Zebra soon';

const APIS: readonly Api[] = [anthropic, responses];

for (const api of APIS)
  describe(`an answer of ${api.name} that is cut`, () => {
    it('leaves as the same bytes for every cut of the wire (law a)', () => {
      const bytes = api.stream([
        'Ask Ba',
        'nk A or mail joe.doe@ac',
        'me.example, 4111111111111111',
      ]);
      const whole = converse(rig(SET), api, [bytes]).text;
      assert.equal(api.hear(whole).text, 'Ask another bank or mail [EMAIL_1], [CREDIT_CARD_1]');
      for (let cut = 1; cut < bytes.length; cut += 1)
        assert.equal(converse(rig(SET), api, cutAt(bytes, [cut])).text, whole, `byte ${cut}`);
      const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
      assert.equal(converse(rig(SET), api, single).text, whole);
    });

    it('has the same text for every cut into deltas (law b)', () => {
      for (let cut = 1; cut < TEXT.length; cut += 1) {
        const { text } = converse(rig(SET), api, [
          api.stream([TEXT.slice(0, cut), TEXT.slice(cut)]),
        ]);
        assert.deepEqual(api.hear(text), { text: MASKED, refusal: '' }, `unit ${cut}`);
      }
      const { text } = converse(rig(SET), api, [api.stream([...TEXT])]);
      assert.equal(api.hear(text).text, MASKED);
    });

    it('is refused with the same text before the match, in its own words', () => {
      for (let cut = 1; cut < SECRET.length; cut += 1) {
        const bytes = api.stream([SECRET.slice(0, cut), SECRET.slice(cut)]);
        const { text, port } = converse(rig(SET), api, [bytes]);
        assert.deepEqual(api.hear(text), { text: 'We mail [EMAIL_1] about ', refusal: 'No.' });
        assert.ok(port.ended.has('response'));
      }
    });

    it('obeys both laws for random texts and cuts', () => {
      const words = fc.constantFrom(
        'Bank',
        ' ',
        'A',
        'Ban',
        'k A',
        'joe',
        '@',
        'acme.co',
        '😀',
        '"',
      );
      const more = fc.constantFrom(
        '4111111111111111',
        '4111-1111',
        '-1111-1111',
        'é',
        '.',
        'Zebra',
      );
      fc.assert(
        fc.property(
          fc.array(fc.oneof(words, more, fc.constant('Project ')), { maxLength: 14 }),
          fc.array(fc.nat(1000), { maxLength: 6 }),
          fc.array(fc.nat(5000), { maxLength: 5 }),
          (parts, deltaCuts, byteCuts) => {
            const text = parts.join('');
            const at = [
              ...new Set([0, ...deltaCuts.map((c) => c % (text.length + 1)), text.length]),
            ];
            at.sort((a, b) => a - b);
            const deltas = at.slice(1).map((to, index) => text.slice(at[index]!, to));
            const heard = (pieces: readonly Uint8Array[]) => {
              const { text: sent, port } = converse(rig(SET), api, pieces);
              return { sent, heard: port.refusal ? port.refusal.body : api.hear(sent) };
            };
            const bytes = api.stream(deltas);
            const once = heard([bytes]);
            assert.equal(heard(cutAt(bytes, byteCuts)).sent, once.sent);
            assert.deepEqual(once.heard, heard([api.stream([text])]).heard);
          },
        ),
        { numRuns: 200 },
      );
    });
  });

const RECORDINGS = join(import.meta.dirname, '../../../shared/corpora/streams');
const QUIET = compile(`
kind: Policy
metadata: { name: quiet, layer: platform }
class: security
rules:
  - { id: none, inspect: [response], match: { keywords: { words: [xyzzyplugh] } }, then: { block: { message: No. } } }
`);

const wordRule = (word: string) =>
  compile(`
kind: Policy
metadata: { name: word, layer: platform }
class: security
rules:
  - { id: word, inspect: [response], match: { keywords: { words: [${JSON.stringify(word)}] } }, then: { rewrite: { with: "#" } } }
`);

for (const api of APIS)
  describe(`recorded streams of ${api.name}`, () => {
    const folder = join(RECORDINGS, api.recordings);
    if (!existsSync(folder)) {
      it.skip(`no recordings at ${folder}`);
      return;
    }
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.sse'))) {
      const body = readFileSync(join(folder, file));

      it(`pass byte for byte where nothing matches: ${file}`, () => {
        const sizes = body.length > 20_000 ? [997] : [1, 7, 64];
        for (const size of sizes) {
          const every = Array.from({ length: Math.floor(body.length / size) }, (_, i) => i * size);
          const { text, port } = converse(rig(QUIET), api, cutAt(body, every));
          assert.equal(port.refusal, undefined);
          assert.equal(text, body.toString(), `pieces of ${size}`);
        }
        fc.assert(
          fc.property(fc.array(fc.nat(body.length), { maxLength: 8 }), (cuts) => {
            assert.equal(converse(rig(QUIET), api, cutAt(body, cuts)).text, body.toString());
          }),
          { numRuns: 5 },
        );
      });

      it(`keep every other frame when one word changes: ${file}`, () => {
        const heard = api.hear(body.toString());
        const word = (heard.text.match(/[A-Za-z]{5,}/gu) ?? []).find(
          (one) => !heard.sealed?.includes(one),
        );
        if (word === undefined) return;
        const { text } = converse(rig(wordRule(word)), api, [body]);
        const pattern = new RegExp(`(?<![\\p{L}\\p{N}_])${word}(?![\\p{L}\\p{N}_])`, 'giu');
        assert.equal(api.hear(text).text, heard.text.replace(pattern, '#'));
        const before = body.toString().split('\n\n');
        const after = text.split('\n\n');
        assert.equal(after.length, before.length);
        const changed = before.filter((frame, index) => frame !== after[index]);
        assert.ok(changed.length > 0);
        const parts = new RegExp([...word].join('?').concat('?'), 'iu');
        assert.ok(changed.every((frame) => parts.test(frame)));
        assert.deepEqual(
          eventsIn(text).map((event) => event.type),
          eventsIn(body.toString()).map((event) => event.type),
        );
      });
    }
  });
