/**
 * What `try` and `explain` tell, one JSON object a line: the stable form for machines, and what their
 * reports are written from. `docs/reference/cli.md` lists the events; a test holds it to this schema.
 */
import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false };
const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });
const words = <const Word extends string>(list: readonly Word[]) =>
  Type.Unsafe<Word>(Type.Enum([...list]));
const Direction = words(['request', 'response']);
const Values = Type.Record(Text, Text);

/** What was tried: the set, who asks, and how the input was taken. */
const Exchange = Type.Object(
  {
    event: Type.Literal('exchange'),
    set: Text,
    policies: Count,
    rules: Count,
    /** Whose body the input is. */
    direction: Direction,
    method: Text,
    path: Text,
    contentType: Text,
    /** What was not said and so guessed from the input, in words. */
    guessed: Type.Array(Text),
    /** What the compiler warns of. */
    warnings: Type.Array(Text),
  },
  closed,
);

/** Why a rule acts or does not, before any text is read. One for each rule of the set. */
const Rule = Type.Object(
  {
    event: Type.Literal('rule'),
    rule: Text,
    class: words(['security', 'operational', 'regulatory']),
    layer: words(['platform', 'tenant', 'app', 'model']),
    priority: Type.Integer(),
    overridable: Type.Boolean(),
    enforcement: words(['enforce', 'shadow', 'off']),
    onError: words(['deny', 'allow']),
    action: Text,
    inspect: Type.Array(Text),
    /** `file:line:column` */
    position: Text,
    /** What its policy's selector wants; `found` is null for a fact that nobody vouches for. */
    selector: Type.Array(
      Type.Object({ fact: Text, wanted: Text, found: Type.Union([Text, Type.Null()]) }, closed),
    ),
    selected: Type.Boolean(),
    when: Type.Union([
      Type.Null(),
      Type.Object(
        {
          source: Text,
          /** `unasked`: the selector said no already. */
          result: words(['true', 'false', 'error', 'unasked']),
          error: Type.Optional(Text),
          inputs: Values,
          parts: Type.Array(
            Type.Object({ source: Text, result: words(['true', 'false', 'error']) }, closed),
          ),
        },
        closed,
      ),
    ]),
    /** `content`: it reads text; `standing`: it acts by its `when` alone. */
    acts: words(['content', 'standing', 'no']),
    /** The `allow` that lifts it for the whole exchange. */
    exemptBy: Type.Union([Text, Type.Null()]),
  },
  closed,
);

/** Who asks, as far as somebody vouches for it: known when the request was read. */
const Facts = Type.Object({ event: Type.Literal('facts'), facts: Values }, closed);

/** A body that rules read. Without it nobody read that body. */
const Body = Type.Object(
  {
    event: Type.Literal('body'),
    direction: Direction,
    format: Text,
    streamed: Type.Boolean(),
    rules: Type.Array(Text),
  },
  closed,
);

/** One frame was read. `offset` and `line` are those of its first byte in the (decoded) body. */
const Frame = Type.Object(
  {
    event: Type.Literal('frame'),
    direction: Direction,
    frame: Count,
    offset: Count,
    bytes: Count,
    line: Type.Integer({ minimum: 1 }),
    texts: Type.Array(
      Type.Object(
        {
          text: Text,
          place: Text,
          /** Code units of the text before this stretch of it. */
          start: Count,
          value: Text,
          last: Type.Boolean(),
        },
        closed,
      ),
    ),
    unreadable: Type.Union([Text, Type.Null()]),
  },
  closed,
);

/** The frame waits; `waits` says for which rule, and from which unit of which text. */
const Held = Type.Object(
  {
    event: Type.Literal('held'),
    direction: Direction,
    frame: Count,
    waits: Type.Array(Type.Object({ rule: Text, text: Text, start: Count }, closed)),
  },
  closed,
);

const Match = Type.Object(
  {
    event: Type.Literal('match'),
    direction: Direction,
    rule: Text,
    class: Text,
    layer: Text,
    action: Text,
    label: Text,
    text: Text,
    place: Text,
    /** Code units of the text; `end` is one past the last. */
    start: Count,
    end: Count,
    /** First and last frame that it stands in. */
    frames: Type.Tuple([Count, Count]),
    line: Type.Integer({ minimum: 1 }),
    /** In bytes of the line, from 1; null where only the frame is known. */
    column: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
    matched: Text,
    before: Text,
    after: Text,
    effect: words([
      ...(['shadow', 'exempt', 'flag', 'allow', 'append', 'block'] as const),
      ...(['inject', 'route', 'throttle', 'hold'] as const),
      ...(['replace', 'restore', 'remove', 'cover', 'sealed', 'structure', 'unable'] as const),
    ]),
    /** The rule that lifts it or whose replacement stands for it. */
    by: Type.Union([Text, Type.Null()]),
    replacement: Type.Union([Text, Type.Null()]),
    /** Of a rule that weighs: 0..1 up to this match, and what it is made of. */
    score: Type.Optional(Type.Number()),
    signals: Type.Optional(
      Type.Array(
        Type.Object({ id: Text, weight: Type.Number(), start: Count, end: Count }, closed),
      ),
    ),
  },
  closed,
);

const Appended = Type.Object(
  {
    event: Type.Literal('appended'),
    direction: Direction,
    text: Text,
    rules: Type.Array(Text),
    form: words(['frame', 'edit', 'later', 'impossible']),
  },
  closed,
);

/** Bytes left: for a frame, or (`frame` null) of our own. */
const Released = Type.Object(
  {
    event: Type.Literal('released'),
    direction: Direction,
    frame: Type.Union([Count, Type.Null()]),
    /** The frame that was read last when it left; equal to `frame` when it did not wait. */
    after: Count,
    bytes: Count,
    /** What left, where it is not what came; null where it is. */
    written: Type.Union([Text, Type.Null()]),
  },
  closed,
);

/** Something that rules had to read could not be read. */
const Unreadable = Type.Object(
  {
    event: Type.Literal('unreadable'),
    direction: Direction,
    reason: Text,
    advice: Text,
  },
  closed,
);

/** What the client gets instead, or (status null) as the end of an answer that had begun. */
const Refused = Type.Object(
  {
    event: Type.Literal('refused'),
    direction: Direction,
    code: Text,
    rule: Type.Union([Text, Type.Null()]),
    status: Type.Union([Count, Type.Null()]),
    headers: Values,
    body: Text,
  },
  closed,
);

const Verdict = Type.Object(
  {
    event: Type.Literal('verdict'),
    outcome: words(['passed', 'changed', 'refused', 'unreadable']),
    code: Text,
    rule: Type.Union([Text, Type.Null()]),
    degraded: Type.Boolean(),
    format: Text,
    matches: Count,
    framesRead: Count,
    framesHeld: Count,
    /** Frames that waited at the same time, at most. */
    framesHeldMost: Count,
    framesNeverLeft: Count,
    bytesIn: Count,
    bytesOut: Count,
  },
  closed,
);

export const TRIAL_EVENTS = {
  exchange: Exchange,
  facts: Facts,
  rule: Rule,
  body: Body,
  frame: Frame,
  held: Held,
  match: Match,
  appended: Appended,
  released: Released,
  unreadable: Unreadable,
  refused: Refused,
  verdict: Verdict,
} as const;

type Schemas = typeof TRIAL_EVENTS;
export type TrialEventOf<Name extends keyof Schemas> = Static<Schemas[Name]>;
export type TrialEvent = { [Name in keyof Schemas]: TrialEventOf<Name> }[keyof Schemas];

/** Receives what happens, in order. */
export type TrialListener = (event: TrialEvent) => void;
