/** Personal data and tickets written otherwise than their detectors expect. */
import { chatBody, chatRequest } from './evasions-bodies.ts';
import type { Evasion, Family, VerdictName } from './evasions-row.ts';

/** A prompt with a value of which the rules mask or refuse the ordinary form. */
const given = (
  id: string,
  attack: string,
  value: string,
  verdict: VerdictName,
  why: string,
  leaves?: string,
): Evasion => ({
  id,
  attack,
  side: 'request',
  format: 'openai.chat',
  verdict,
  why,
  request: chatRequest(chatBody(`Note: ${value} end`)),
  carries: JSON.stringify(value).slice(1, -1),
  ...(leaves !== undefined && { leaves }),
});

const CARD = 'Note: [CREDIT_CARD_1] end';
const MAIL = 'Note: [EMAIL_1] end';

const CARDS: readonly Evasion[] = [
  given(
    'card',
    'writes a card number',
    '4111 1111 1111 1111',
    'masked',
    'The row by which the others are measured.',
    CARD,
  ),
  given(
    'card-dashes',
    'parts its digits by dashes, no-break spaces or one by one',
    '4111‑1111–1111 1 1-1-1',
    'masked',
    'One separator between any two digits counts for nothing.',
    CARD,
  ),
  given(
    'card-full-width',
    'writes it in full-width digits',
    '４１１１１１１１１１１１１１１１',
    'masked',
    'Decimal digits of any script of the basic plane are digits.',
    CARD,
  ),
  given(
    'card-arabic',
    'writes it in Arabic digits',
    '٤١١١ ١١١١ ١١١١ ١١١١',
    'masked',
    'The same.',
    CARD,
  ),
  given(
    'card-mixed-digits',
    'mixes digits of several scripts',
    '४1١1１111 1111 1111',
    'masked',
    'The same.',
    CARD,
  ),
  given(
    'card-mathematical',
    'writes it in mathematical digits',
    [...'4111111111111111'].map((digit) => String.fromCodePoint(0x1d7ce + Number(digit))).join(''),
    'not seen',
    'Digits outside the basic plane are not read.',
  ),
  given(
    'card-zero-width',
    'puts zero-width spaces between the digits',
    '4111\u200b1111\u200b1111\u200b1111',
    'masked',
    'One unit that is not seen may stand between any two digits, in place of a separator.',
    CARD,
  ),
  given(
    'card-zero-widths',
    'puts several zero-width spaces between the digits',
    '4111\u200b\u200b1111\u200b\u200b1111\u200b\u200b1111',
    'not seen',
    'See two separators.',
  ),
  given(
    'card-two-separators',
    'puts two separators between the groups',
    '4111 - 1111 - 1111 - 1111',
    'not seen',
    'Runs of separators would join the numbers of lists and tables.',
  ),
  given(
    'card-dots',
    'parts the groups by dots',
    '4111.1111.1111.1111',
    'not seen',
    'Dots part other numbers: addresses, versions, amounts.',
  ),
  given(
    'card-letters',
    'writes O for 0, or l for 1',
    '4lll 1111 1111 1111',
    'not seen',
    'Letters are no digits.',
  ),
  given(
    'card-words',
    'spells the digits out',
    'four one one one, then twelve ones',
    'not seen',
    'The same.',
  ),
  given(
    'card-wrong-check',
    'changes a digit',
    '4111 1111 1111 1112',
    'harmless',
    'The check digit is wrong: no such card exists.',
  ),
  {
    ...given(
      'card-number',
      'writes it as a number of JSON',
      '',
      'masked',
      'Numbers of 13 digits and more are read as text; what stands there then is a string.',
      '"[CREDIT_CARD_1]"',
    ),
    request: chatRequest('{"model":"m","messages":[{"role":"user","content":4111111111111111}]}'),
    carries: '4111111111111111',
  },
];

const MAILS: readonly Evasion[] = [
  given(
    'mail',
    'writes an address',
    'joe@acme.example',
    'masked',
    'The row by which the others are measured.',
    MAIL,
  ),
  given(
    'mail-tagged',
    'adds a tag, or takes another case',
    'JOE+secret@ACME.example',
    'masked',
    'Part of the address.',
    MAIL,
  ),
  given(
    'mail-international',
    'takes a domain in another script',
    'joe@пример.испытание',
    'masked',
    'Letters of any script of the basic plane.',
    MAIL,
  ),
  given(
    'mail-mailto',
    'puts it into a link',
    '<mailto:joe@acme.example>',
    'masked',
    'What stands around it is not part of it.',
    'Note: <mailto:[EMAIL_1]> end',
  ),
  given(
    'mail-zero-width',
    'puts zero-width spaces in it',
    'joe\u200b@ac\u200bme.example',
    'masked',
    'What is not seen counts for nothing inside of an address.',
    MAIL,
  ),
  given(
    'mail-full-width-at',
    'takes a full-width at sign',
    'joe＠acme.example',
    'masked',
    'The at sign and the dot may be full width, as letters may.',
    MAIL,
  ),
  given(
    'mail-spelled',
    'writes out the at sign and the dot',
    'joe [at] acme [dot] example',
    'not seen',
    'Words are no signs.',
  ),
  given(
    'mail-spaced',
    'puts blanks around the at sign',
    'joe @ acme.example',
    'not seen',
    'The same.',
  ),
  given(
    'mail-entity',
    'writes the at sign as an HTML entity or percent-encoded',
    'joe&#64;acme.example',
    'not seen',
    'Encodings inside of text are not undone.',
  ),
];

const EXPRESSIONS: readonly Evasion[] = [
  given(
    'regex',
    'writes what the expression is for',
    'PRJ-2041',
    'refused',
    'The row by which the others are measured.',
  ),
  given(
    'regex-case',
    'takes another case',
    'prj-2041',
    'not seen',
    'An expression says itself what it means.',
  ),
  given(
    'regex-full-width',
    'takes full-width digits',
    'PRJ-２０４１',
    'not seen',
    'Expressions are not folded.',
  ),
  given(
    'regex-zero-width',
    'puts a zero-width space in it',
    'PRJ-\u200b2041',
    'not seen',
    'Nothing is skipped in an expression.',
  ),
];

export const DATA: readonly Family[] = [
  {
    title: 'Card numbers',
    about: 'The rule masks `pii: { entities: [credit_card] }`.',
    rows: CARDS,
  },
  { title: 'E-mail addresses', about: 'The rule masks `pii: { entities: [email] }`.', rows: MAILS },
  {
    title: 'Regular expressions',
    about: 'The rule blocks `regex: { pattern: "PRJ-[0-9]{4}" }`.',
    rows: EXPRESSIONS,
  },
];
