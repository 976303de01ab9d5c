/** JSON that hides a word from one reader and shows it to another. */
import { BLOCKED, chatBody, chatRequest } from './evasions-bodies.ts';
import type { Evasion, Family, Told, VerdictName } from './evasions-row.ts';

/** A request body as it is. */
const sent = (
  id: string,
  attack: string,
  body: string | Uint8Array,
  carries: string,
  verdict: VerdictName,
  { why, ...more }: Told,
): Evasion => ({
  id,
  attack,
  side: 'request',
  format: 'openai.chat',
  verdict,
  why,
  request: chatRequest(body),
  carries,
  ...more,
});

const HELLO = '"messages":[{"role":"user","content":"hello"}]';
const WORDED = `"messages":[{"role":"user","content":"${BLOCKED}"}]`;
const STRICT =
  'JSON is read as RFC 8259 has it and no other way: what only some readers take is refused.';
const ALL = 'Every string of the body is read, wherever it stands.';

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
const readUtf16 = (bytes: Buffer): string => bytes.toString('utf16le');

const ESCAPES: readonly Evasion[] = [
  sent(
    'json-escape',
    'escapes letters',
    chatBody('X').replace('X', 'Project \\u005aebra'),
    'Project \\u005aebra',
    'refused',
    {
      why: 'Strings are decoded before they are read.',
    },
  ),
  sent(
    'json-escape-case',
    'escapes letters in digits of mixed case',
    chatBody('X').replace('X', '\\u0050roject\\u0020\\u005Aebr\\u0061'),
    '\\u005Aebr\\u0061',
    'refused',
    { why: 'The same.' },
  ),
  sent(
    'json-escape-surrogates',
    'escapes both halves of mathematical letters',
    chatBody('X').replace('X', 'Project \\ud835\\udc19ebra'),
    '\\ud835\\udc19ebra',
    'refused',
    {
      why: 'Halves are put together, then folded.',
    },
  ),
  sent(
    'json-key-escape',
    'escapes letters of member names',
    `{"model":"m","mess\\u0061ges":[{"role":"user","cont\\u0065nt":"${BLOCKED}"}]}`,
    BLOCKED,
    'refused',
    { why: 'Names are decoded, too.' },
  ),
  sent(
    'json-in-text',
    'writes JSON with escapes of its own into the text',
    chatBody('{"topic":"Project \\u005aebra"}'),
    'Project \\\\u005aebra',
    'not seen',
    {
      why: 'A text is not JSON because it looks like it. Where the API says that it is (arguments of tools), it is read as JSON.',
    },
  ),
];

const NESTED: readonly Evasion[] = [
  sent(
    'arguments-escape',
    'hides it behind escapes of the JSON in the arguments of a tool',
    JSON.stringify({
      model: 'm',
      messages: [
        {
          role: 'assistant',
          tool_calls: [
            {
              id: 'a',
              type: 'function',
              function: { name: 'f', arguments: '{"q":"Project \\u005aebra"}' },
            },
          ],
        },
      ],
    }),
    '\\\\u005aebra',
    'refused',
    {
      why: 'Arguments are read as the JSON that they are.',
    },
  ),
  sent(
    'arguments-twice',
    'puts JSON into a string of the JSON of the arguments',
    JSON.stringify({
      model: 'm',
      messages: [
        {
          role: 'assistant',
          tool_calls: [
            {
              id: 'a',
              type: 'function',
              function: {
                name: 'f',
                arguments: JSON.stringify({ q: '{"r":"Project \\u005aebra"}' }),
              },
            },
          ],
        },
      ],
    }),
    '\\\\u005aebra',
    'not seen',
    {
      why: 'One level is read; what a tool does with a string is its own affair. Without escapes the word is found at any depth.',
    },
  ),
  sent(
    'arguments-deep',
    'puts the plain word into JSON in JSON in JSON',
    JSON.stringify({
      model: 'm',
      messages: [
        {
          role: 'assistant',
          tool_calls: [
            {
              id: 'a',
              type: 'function',
              function: {
                name: 'f',
                arguments: JSON.stringify({ q: JSON.stringify({ r: BLOCKED }) }),
              },
            },
          ],
        },
      ],
    }),
    BLOCKED,
    'refused',
    { why: 'Quotes and backslashes are no part of a word.' },
  ),
  sent(
    'document-in-string',
    'encodes the whole body twice: JSON in a string of JSON',
    JSON.stringify(chatBody(BLOCKED)),
    BLOCKED,
    'unreadable',
    {
      status: 400,
      why: 'A request is an object. Whoever would unwrap a string would read another one.',
    },
  ),
  sent(
    'json-depth',
    'nests the word deeper than anybody reads',
    `{"model":"m","messages":${'['.repeat(80)}"${BLOCKED}"${']'.repeat(80)}}`,
    BLOCKED,
    'unreadable',
    {
      status: 400,
      why: 'Deeper than a reader may go.',
      bound: '`depthMax`: 64',
    },
  ),
  sent(
    'json-nodes',
    'hides it behind 200,000 values',
    `{"model":"m","x":[${'0,'.repeat(200_001)}0],${WORDED}}`,
    BLOCKED,
    'unreadable',
    {
      status: 400,
      why: 'More values than are kept of one body.',
      bound: '`nodesMax`: 200,000',
    },
  ),
];

const AMBIGUOUS: readonly Evasion[] = [
  sent(
    'duplicate-content',
    'gives a message two contents, the harmless one last',
    `{"model":"m","messages":[{"role":"user","content":"${BLOCKED}","content":"hello"}]}`,
    BLOCKED,
    'refused',
    { why: 'All doubles are read, as some servers take the first and some the last.' },
  ),
  sent(
    'duplicate-content-first',
    'gives a message two contents, the harmless one first',
    `{"model":"m","messages":[{"role":"user","content":"hello","content":"${BLOCKED}"}]}`,
    BLOCKED,
    'refused',
    { why: 'The same.' },
  ),
  sent(
    'duplicate-messages',
    'gives the request two lists of messages',
    `{"model":"m",${WORDED},${HELLO}}`,
    BLOCKED,
    'refused',
    { why: 'The same.' },
  ),
  sent(
    'case-variant',
    'writes names in another case, as lenient servers take them',
    `{"model":"m",${HELLO},"Messages":[{"Role":"user","CONTENT":"${BLOCKED}"}]}`,
    BLOCKED,
    'refused',
    { why: ALL },
  ),
  sent(
    'case-variant-alone',
    'writes all names in another case',
    `{"Model":"m","Messages":[{"Role":"user","Content":"${BLOCKED}"}]}`,
    BLOCKED,
    'refused',
    { why: ALL },
  ),
  sent(
    'unknown-member',
    'puts it into a member that the API does not have',
    `{"model":"m",${HELLO},"prompt_suffix":"${BLOCKED}"}`,
    BLOCKED,
    'refused',
    { why: ALL },
  ),
  sent(
    'member-name',
    'makes it the name of a member',
    `{"model":"m",${HELLO},"metadata":{"${BLOCKED}":"1"}}`,
    BLOCKED,
    'refused',
    { why: 'Names that the API does not have are read.' },
  ),
  sent(
    'prototype',
    'hides it behind `__proto__`',
    `{"model":"m",${HELLO},"__proto__":{"content":"${BLOCKED}"}}`,
    BLOCKED,
    'refused',
    { why: 'A name like any other.' },
  ),
  sent(
    'content-shapes',
    'gives the content as an object, which no API has',
    `{"model":"m","messages":[{"role":"user","content":{"text":{"value":"${BLOCKED}"}}}]}`,
    BLOCKED,
    'refused',
    { why: ALL },
  ),
  sent(
    'role-word',
    'makes it the role',
    `{"model":"m","messages":[{"role":"${BLOCKED}","content":"hello"}]}`,
    BLOCKED,
    'refused',
    { why: 'A role that no API has is a word like any other.' },
  ),
  sent(
    'key-and-value',
    'writes one half as a name and the other as its value',
    `{"model":"m",${HELLO},"metadata":{"Project":"Zebra"}}`,
    '"Project":"Zebra"',
    'not seen',
    {
      why: 'Two texts. Only `arguments` of tools are read across their structure.',
    },
  ),
];

const MALFORMED: readonly Evasion[] = [
  sent(
    'json-comment',
    'writes comments into JSON',
    `{"model":"m",/* x */${WORDED}}`,
    BLOCKED,
    'unreadable',
    { status: 400, why: STRICT },
  ),
  sent(
    'json-trailing-comma',
    'writes a comma too many',
    `{"model":"m",${WORDED},}`,
    BLOCKED,
    'unreadable',
    { status: 400, why: STRICT },
  ),
  sent(
    'json-nan',
    'writes NaN',
    `{"model":"m","temperature":NaN,${WORDED}}`,
    BLOCKED,
    'unreadable',
    { status: 400, why: STRICT },
  ),
  sent(
    'json-single-quotes',
    'writes single quotes',
    `{'model':'m','messages':[{'role':'user','content':'${BLOCKED}'}]}`,
    BLOCKED,
    'unreadable',
    { status: 400, why: STRICT },
  ),
  sent(
    'json-raw-newline',
    'writes a raw line break into a string',
    `{"model":"m","messages":[{"role":"user","content":"Project\nZebra"}]}`,
    'Project\nZebra',
    'unreadable',
    { status: 400, why: STRICT },
  ),
  sent(
    'json-bad-escape',
    'writes an escape that does not exist',
    `{"model":"m","messages":[{"role":"user","content":"Project \\x5aebra"}]}`,
    '\\x5aebra',
    'unreadable',
    { status: 400, why: STRICT },
  ),
  sent(
    'json-two',
    'sends two documents in one body',
    `{"model":"m",${HELLO}}{"model":"m",${WORDED}}`,
    BLOCKED,
    'unreadable',
    { status: 400, why: 'One body is one document.' },
  ),
  sent(
    'json-lines',
    'sends lines of JSON as JSON',
    `{"model":"m",${HELLO}}\n{"model":"m",${WORDED}}\n`,
    BLOCKED,
    'unreadable',
    { status: 400, why: 'The same.' },
  ),
  sent(
    'json-garbage',
    'puts something behind the document',
    `{"model":"m",${HELLO}}; ${BLOCKED}`,
    BLOCKED,
    'unreadable',
    { status: 400, why: 'The same.' },
  ),
  sent(
    'json-nul',
    'puts NUL characters behind the document',
    `{"model":"m",${WORDED}}\0\0`,
    BLOCKED,
    'unreadable',
    { status: 400, why: 'The same.' },
  ),
  sent(
    'json-truncated',
    'leaves the end of the document out',
    `{"model":"m",${WORDED}`,
    BLOCKED,
    'unreadable',
    { status: 400, why: STRICT },
  ),
  sent(
    'json-huge-number',
    'writes numbers that no double holds',
    `{"model":"m","seed":1e999999,${HELLO},"x":"go on"}`,
    '1e999999',
    'harmless',
    { why: 'Numbers are not computed and leave as they came.' },
  ),
];

const BYTES: readonly Evasion[] = [
  sent(
    'bom',
    'puts a byte-order mark in front',
    `\ufeff{"model":"m",${WORDED}}`,
    BLOCKED,
    'unreadable',
    { status: 400, why: 'RFC 8259 has none; some readers skip it, others fail.' },
  ),
  sent(
    'utf-16',
    'sends UTF-16 as if it were UTF-8',
    utf16(`{"model":"m",${WORDED}}`),
    BLOCKED,
    'unreadable',
    {
      status: 400,
      why: 'Between the letters stand NUL characters, and that is no JSON.',
      reads: readUtf16,
    },
  ),
  sent(
    'utf-16-declared',
    'sends UTF-16 and says so',
    utf16(`{"model":"m",${WORDED}}`),
    BLOCKED,
    'unreadable',
    {
      status: 400,
      why: 'Only UTF-8 is read; another charset is opaque.',
      reads: readUtf16,
      request: chatRequest(utf16(`{"model":"m",${WORDED}}`), {
        'content-type': 'application/json; charset=utf-16',
      }),
    },
  ),
  sent(
    'utf-7',
    'declares UTF-7, in which letters have other forms',
    chatBody('Project +AFo-ebra'),
    '+AFo-ebra',
    'unreadable',
    {
      status: 400,
      why: 'The same.',
      request: chatRequest(chatBody('Project +AFo-ebra'), {
        'content-type': 'application/json; charset=utf-7',
      }),
    },
  ),
  sent(
    'utf-8-overlong',
    'writes letters in over-long UTF-8',
    Buffer.from(chatBody('Project #ebra').replace('#', '\u00c1\u009a'), 'latin1'),
    'Project \u00c1\u009aebra',
    'harmless',
    {
      why: 'Decoders that keep to the standard read two replacement characters there; a provider that does not has a fault of its own.',
      reads: (bytes) => bytes.toString('latin1'),
    },
  ),
  sent(
    'utf-8-invalid',
    'puts bytes that are no UTF-8 around it',
    Buffer.from(chatBody(`\u00ff${BLOCKED}\u00fe`), 'latin1'),
    BLOCKED,
    'refused',
    { why: 'Read with replacement characters, as its readers do.' },
  ),
];

export const JSON_FAMILIES: readonly Family[] = [
  { title: 'Escapes of JSON', about: 'Request bodies of the chat completions API.', rows: ESCAPES },
  { title: 'JSON in JSON', about: 'The same.', rows: NESTED },
  {
    title: 'JSON that is read in two ways',
    about: 'The same. Nothing is guessed: all readings are judged, or the body is refused.',
    rows: AMBIGUOUS,
  },
  { title: 'JSON that is none', about: 'The same.', rows: MALFORMED },
  { title: 'Bytes that are no UTF-8', about: 'The same.', rows: BYTES },
];
