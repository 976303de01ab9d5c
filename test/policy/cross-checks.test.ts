/** Where the checks across rules begin and end: what they refuse, and what looks alike and is lawful. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { codes, compileText, policy } from './compiling.ts';

const KEYWORD = (word: string) => `match: { keywords: { words: [${word}] } }`;

describe('a replacement that a rule would match', () => {
  const rewrite = (inspect: string, text = 'the other bank') =>
    `{ id: a, inspect: [${inspect}], ${KEYWORD('rival')}, then: { rewrite: { with: ${text} } } }`;
  const other = (inspect: string, then: string, more = '') =>
    `{ id: b, inspect: [${inspect}], ${KEYWORD('other bank')}, then: ${then}${more} }`;
  const refused = ['replacement_matches_rule'];

  it('is refused where both read the same text', () => {
    assert.deepEqual(codes(policy([rewrite('response'), other('response', 'block')])), refused);
    assert.deepEqual(codes(policy([rewrite('request'), other('tool_result', 'redact')])), refused);
    assert.deepEqual(codes(policy([rewrite('response'), other('tool_call', 'block')])), refused);
  });

  it('is refused where the rule matches its own replacement', () => {
    assert.deepEqual(codes(policy([rewrite('response', 'no rival')])), refused);
  });

  it('is lawful where the other rule cannot read it', () => {
    assert.deepEqual(codes(policy([rewrite('response'), other('request', 'block')])), []);
    assert.deepEqual(codes(policy([rewrite('system'), other('tool_result', 'block')])), []);
  });

  it('is lawful where the other rule does not enforce', () => {
    for (const [then, more] of [
      ['flag', ''],
      ['allow', ''],
      ['block', ', enforcement: shadow'],
      ['block', ', enforcement: off'],
    ] as const) {
      assert.deepEqual(codes(policy([rewrite('response'), other('response', then, more)])), []);
    }
  });

  it('is lawful where no exchange is selected by both', () => {
    const document = (name: string, tenant: string, rule: string) =>
      `kind: Policy\nmetadata: { name: ${name}, layer: tenant, selector: { tenant: ${tenant} } }\nclass: security\nrules:\n  - ${rule}\n`;
    const pair = (one: string, two: string) =>
      [
        document('one', one, rewrite('response')),
        document('two', two, other('response', 'block')),
      ].join('---\n');
    assert.deepEqual(codes(pair('acme', 'globex')), []);
    assert.deepEqual(codes(pair('acme', 'acme')), refused);
  });

  it('is lawful where the other rule asks for JSON, unless it is appended to it', () => {
    const json =
      '{ id: b, inspect: [response], match: { json: { of: text, violates: { type: object } } }, then: block }';
    assert.deepEqual(codes(policy([rewrite('response'), json])), []);
    const redact =
      '{ id: a, inspect: [response], match: { pii: { entities: [email] } }, then: redact }';
    assert.deepEqual(codes(policy([redact, json])), []);
    const append = `{ id: a, inspect: [response], ${KEYWORD('loan')}, then: { append: { text: No advice. } } }`;
    assert.deepEqual(codes(policy([append, json])), refused);
  });

  it('counts the text of append and the placeholders of redact', () => {
    const append = `{ id: a, inspect: [response], ${KEYWORD('loan')}, then: { append: { text: Ask about a loan. } } }`;
    assert.deepEqual(codes(policy([append])), refused);
    const redact =
      '{ id: a, inspect: [response], match: { pii: { entities: [email] } }, then: redact }';
    assert.deepEqual(
      codes(
        policy([redact, `{ id: b, inspect: [response], ${KEYWORD('email_42')}, then: block }`]),
      ),
      refused,
    );
  });
});

describe('rules of one layer that stand against each other', () => {
  const block = (more = '') => `{ id: b, inspect: [request], ${KEYWORD('x')}, then: block${more} }`;
  const allow = (more: string, inspect = 'request', word = 'x') =>
    `{ id: a, inspect: [${inspect}], ${KEYWORD(word)}, then: allow${more} }`;

  it('an allow of higher priority about the same shadows', () => {
    assert.deepEqual(codes(policy([allow(', priority: 1'), block()])), ['rule_shadowed']);
    assert.deepEqual(codes(policy(['{ id: a, priority: 1, then: allow }', block()])), [
      'rule_shadowed',
    ]);
  });

  it('but not with another match, a narrower reach, a condition, or in shadow', () => {
    for (const rule of [
      allow(', priority: 1', 'request', 'y'),
      allow(', priority: 1', 'tool_result'),
      allow(', priority: 1, when: tenant == "a"'),
      allow(', priority: 1, enforcement: shadow'),
      allow(', priority: -1'),
    ]) {
      assert.deepEqual(codes(policy([rule, block()])), [], rule);
    }
  });

  it('nor when the selector of the allow is narrower, or its layer another', () => {
    const narrow =
      '---\nkind: Policy\nmetadata: { name: n, layer: platform, selector: { tenant: acme } }\nclass: security\nrules: [{ id: a, priority: 1, then: allow }]\n';
    assert.deepEqual(codes(policy([block()]) + narrow), []);
    assert.deepEqual(
      codes(policy([block()]) + narrow.replace(', selector: { tenant: acme }', '')),
      ['rule_shadowed'],
    );
    assert.deepEqual(
      codes(policy([block()]) + narrow.replace('platform, selector: { tenant: acme }', 'app')),
      [],
    );
  });

  it('allow and block of equal priority about the same contradict each other', () => {
    assert.deepEqual(codes(policy([allow(''), block()])), ['rules_contradict']);
    assert.deepEqual(codes(policy([allow('', 'response'), block()])), []);
    assert.deepEqual(codes(policy([allow(''), block().replace('then: block', 'then: flag')])), []);
  });
});

describe('a lower layer that lifts what is overridable', () => {
  const set = (overridable: boolean, tenant = 'acme') =>
    compileText(
      [
        `kind: Policy\nmetadata: { name: top, layer: platform, selector: { tenant: acme } }\nclass: security\nrules: [{ id: r, overridable: ${overridable}, then: block }]\n`,
        `kind: Policy\nmetadata: { name: low, layer: tenant, selector: { tenant: ${tenant} } }\nclass: security\nrules: [{ id: a, then: allow }]\n`,
      ].join('---\n'),
    ).warnings;

  it('is lawful and said', () => {
    assert.equal(set(true).length, 1);
    assert.match(set(true)[0] ?? '', /low\/a.*top\/r/);
  });

  it('is not said where it cannot happen', () => {
    assert.deepEqual(set(false), []);
    assert.deepEqual(set(true, 'globex'), []);
  });
});
