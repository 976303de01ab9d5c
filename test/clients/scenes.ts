/** What is asked, what the provider says, and what must come of it, for every client alike. */
import type { Line } from './mock-provider.ts';
import type { Call, Question } from './said.ts';

export const REFUSED = 'I cannot talk about that.';
export const DECLINED = 'I would rather not.';
export const RESULT_REFUSED = 'That result is not for you.';
export const PROVIDER_REFUSED = 'The provider says no.';
/** What Switchyard says when it cannot read an answer. */
export const UNREADABLE = 'A policy must read this body, and it cannot be read.';
/** What the shipped Envoy configuration says when Switchyard is gone. */
export const GONE = 'The policy service could not be reached, so this request was refused.';

export const POLICY = `
kind: Policy
metadata: { name: clients, layer: platform }
class: security
rules:
  - { id: rival, inspect: [response], match: { keywords: { words: [Bank A] } }, then: { rewrite: { with: another bank } } }
  - { id: pii, inspect: [request, response], match: { pii: { entities: [email, credit_card] } }, then: redact }
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: { block: { message: ${REFUSED} } } }
  - { id: heron, inspect: [request, response], match: { keywords: { words: [Project Heron] } }, then: { block: { as: refusal, message: ${DECLINED} } } }
  - { id: crane, inspect: [request], match: { keywords: { words: [Project Crane] } }, then: { block: { status: 403, message: ${REFUSED} } } }
  - { id: otter, inspect: [tool_result], match: { keywords: { words: [Project Otter] } }, then: { block: { message: ${RESULT_REFUSED} } } }
`;

/** What a user gets, in no client's words. */
export type Outcome =
  | { readonly kind: 'answer'; readonly text: string; readonly calls?: readonly Call[] }
  /** An error instead of an answer: by a rule, by Switchyard because it cannot judge, by the provider. */
  | {
      readonly kind: 'error';
      readonly by: 'rule' | 'switchyard' | 'provider';
      readonly status: number;
      readonly message: string;
    }
  /** An answer that ends as refused. */
  | {
      readonly kind: 'refused';
      readonly message: string;
      /** What had come before. */
      readonly text: string;
      readonly calls?: readonly Call[];
      /** The text of the arguments of a call that was cut. */
      readonly half?: string;
      /** Before the model was asked. */
      readonly unasked?: true;
    };

export interface Scene {
  readonly name: string;
  readonly question: Question;
  readonly says?: Line['says'];
  readonly whole: Outcome;
  /** When it streams; like the whole unless given. */
  readonly streamed?: Outcome;
  /** What must be in the request that the provider gets, and what must not. */
  readonly reaches?: { readonly with: string; readonly without: string };
  /** The rule that decided, in the record. */
  readonly rule?: string;
}

const mail = (to: string, text: string): Call => ({ name: 'send_mail', arguments: { to, text } });
const says = (...calls: readonly Call[]): Line['says'] => ({
  calls: calls.map((call) => ({ name: call.name, arguments: call.arguments as object })),
});
const error = (message = REFUSED, status = 400): Outcome => ({
  kind: 'error',
  by: 'rule',
  status,
  message,
});
const refused = (message: string, text: string): Outcome => ({ kind: 'refused', message, text });

export const SCENES: readonly Scene[] = [
  {
    name: 'gets an answer that is allowed as it was said',
    question: { prompt: 'scene alder' },
    says: { text: 'Banks abroad open at nine: 😀 "ünïcode" \\ \n\tand Project Zeb.' },
    whole: {
      kind: 'answer',
      text: 'Banks abroad open at nine: 😀 "ünïcode" \\ \n\tand Project Zeb.',
    },
  },
  {
    name: 'has what it asks masked before the provider sees it',
    question: { prompt: 'scene birch, says joe@acme.example' },
    says: { text: 'Done.' },
    whole: { kind: 'answer', text: 'Done.' },
    reaches: { with: '[EMAIL_1]', without: 'joe@acme.example' },
  },
  {
    name: 'gets an answer that is masked',
    question: { prompt: 'scene cedar' },
    says: { text: 'Ask Bank A, mail joe@acme.example, pay 4111 1111 1111 1111 today.' },
    whole: {
      kind: 'answer',
      text: 'Ask another bank, mail [EMAIL_1], pay [CREDIT_CARD_1] today.',
    },
    rule: 'rival',
  },
  {
    name: 'is refused what it asks',
    question: { prompt: 'What is Project Zebra?' },
    whole: error(),
    rule: 'zebra',
  },
  {
    name: 'is refused what it asks with another status',
    question: { prompt: 'What is Project Crane?' },
    whole: error(REFUSED, 403),
    rule: 'crane',
  },
  {
    name: 'is refused what it asks as a model would',
    question: { prompt: 'What is Project Heron?' },
    whole: { kind: 'refused', message: DECLINED, text: '', unasked: true },
    rule: 'heron',
  },
  {
    name: 'is refused an answer from its first word on',
    question: { prompt: 'scene elm' },
    says: { text: 'Project Zebra is here' },
    whole: error(),
    streamed: refused(REFUSED, ''),
    rule: 'zebra',
  },
  {
    name: 'is refused the rest of an answer',
    question: { prompt: 'scene fir' },
    says: { text: 'Ask Bank A about Project Zebra, which is here' },
    whole: error(),
    streamed: refused(REFUSED, 'Ask another bank about '),
    rule: 'zebra',
  },
  {
    name: 'is refused an answer as a model would',
    question: { prompt: 'scene gum' },
    says: { text: 'All about Project Heron' },
    whole: refused(DECLINED, ''),
    streamed: refused(DECLINED, 'All about '),
    rule: 'heron',
  },
  {
    name: 'gets a tool call with masked arguments',
    question: { prompt: 'scene hazel', tools: true },
    says: says(mail('joe@acme.example', 'Ask "Bank A"\n')),
    whole: { kind: 'answer', text: '', calls: [mail('[EMAIL_1]', 'Ask "another bank"\n')] },
    rule: 'rival',
  },
  {
    name: 'gets parallel tool calls, each masked for itself',
    question: { prompt: 'scene iris', tools: true },
    says: says(mail('joe@acme.example', 'one'), mail('desk', 'Bank A')),
    whole: {
      kind: 'answer',
      text: '',
      calls: [mail('[EMAIL_1]', 'one'), mail('desk', 'another bank')],
    },
    rule: 'rival',
  },
  {
    name: 'is refused a tool call',
    question: { prompt: 'scene juniper', tools: true },
    says: says(mail('desk', 'on Project Zebra now')),
    whole: error(),
    streamed: {
      kind: 'refused',
      message: REFUSED,
      text: '',
      half: '{"to":"desk","text":"on ',
    },
    rule: 'zebra',
  },
  {
    name: 'is refused the second of two tool calls',
    question: { prompt: 'scene kapok', tools: true },
    says: says(mail('desk', 'fine'), mail('desk', 'on Project Zebra now')),
    whole: error(),
    streamed: {
      kind: 'refused',
      message: REFUSED,
      text: '',
      calls: [mail('desk', 'fine')],
      half: '{"to":"desk","text":"on ',
    },
    rule: 'zebra',
  },
  {
    name: 'has the result of a tool masked before the provider sees it',
    question: { prompt: 'scene larch', tools: true, toolResult: 'joe@acme.example says hello' },
    says: { text: 'Noted.' },
    whole: { kind: 'answer', text: 'Noted.' },
    reaches: { with: '[EMAIL_1] says hello', without: 'joe@acme.example' },
    rule: 'pii',
  },
  {
    name: 'is refused the result of a tool',
    question: { prompt: 'scene maple', tools: true, toolResult: 'Project Otter is late' },
    whole: error(RESULT_REFUSED),
    rule: 'otter',
  },
  {
    name: 'may say itself what a tool may not',
    question: { prompt: 'scene nutmeg: Project Otter' },
    says: { text: 'Swims.' },
    whole: { kind: 'answer', text: 'Swims.' },
  },
  {
    name: "gets the provider's own error as it is",
    question: { prompt: 'scene oak' },
    says: { status: 400, message: PROVIDER_REFUSED },
    whole: { kind: 'error', by: 'provider', status: 400, message: PROVIDER_REFUSED },
  },
];

/** The provider's answer is no JSON: Switchyard has to say that it could not judge it. */
export const UNREADABLE_PROMPT = 'scene pine';

/** All that the provider knows to say, each to prompts that contain its own two words. */
export const LINES: readonly Line[] = [
  ...SCENES.flatMap(({ question, says: line }) =>
    line === undefined ? [] : [{ prompt: question.prompt.split(/[,:]/u, 1).join(''), says: line }],
  ),
  { prompt: UNREADABLE_PROMPT, says: { garbage: true } as const },
];
