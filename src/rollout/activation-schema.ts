/** Reads a persisted activation record: every shape is checked, nothing is repaired. */
import Type from 'typebox';
import Value from 'typebox/value';
import { ACTIVATION_SCHEMA, type ActivationRecord } from './activation.ts';

const Count = Type.Integer({ minimum: 0 });
const Text = Type.String();
const Digest = Type.String({ minLength: 1 });
const DenyRise = Type.Union([Type.Literal('rolls_back'), Type.Literal('alerts')]);

const Plan = Type.Object({
  name: Text,
  stages: Type.Array(Type.Object({ sharePpm: Count, durationMs: Type.Number({ minimum: 0 }) })),
  expectDenyRate: Type.Union([Type.Literal('same'), Type.Literal('up'), Type.Literal('down')]),
  denyRateChangeMax: Type.Number(),
  errorRateMax: Type.Number(),
  alpha: Type.Number(),
});

const setFields = {
  digest: Digest,
  files: Type.Array(Type.Object({ path: Text, digest: Digest })),
  plan: Type.Optional(Plan),
};
const SetShape = Type.Object(setFields);

const RecordShape = Type.Object({
  schema: Type.Literal(ACTIVATION_SCHEMA),
  epoch: Count,
  blue: Type.Optional(
    Type.Object({ ...setFields, sinceMs: Type.Number(), replaced: Type.Optional(Digest) }),
  ),
  previous: Type.Array(SetShape),
  rollout: Type.Optional(
    Type.Object({
      id: Text,
      green: SetShape,
      sharePpm: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
      stage: Count,
      stageSinceMs: Type.Number(),
      startedAtMs: Type.Number(),
      plan: Type.Optional(Plan),
    }),
  ),
  watch: Type.Optional(
    Type.Object({ digest: Digest, against: SetShape, untilMs: Type.Number(), denyRise: DenyRise }),
  ),
  emergency: Type.Optional(
    Type.Object({ digest: Digest, untilMs: Type.Number(), previous: SetShape }),
  ),
  waiting: Type.Optional(SetShape),
  rolledBack: Type.Optional(SetShape),
  quarantined: Type.Array(
    Type.Object({
      path: Text,
      digest: Digest,
      good: Digest,
      anyPath: Type.Boolean(),
      set: Digest,
      reason: Type.Union([
        Type.Literal('automatic'),
        Type.Literal('operator'),
        Type.Literal('emergency_expired'),
      ]),
      atMs: Type.Number(),
      evidence: Type.Optional(Type.Record(Text, Type.Union([Text, Type.Number()]))),
    }),
  ),
  history: Type.Array(
    Type.Object({
      epoch: Count,
      atMs: Type.Number(),
      kind: Text,
      digest: Text,
      by: Text,
      reason: Text,
    }),
  ),
});

export type ParsedActivation =
  | { readonly ok: true; readonly record: ActivationRecord }
  | {
      readonly ok: false;
      readonly code: 'not_json' | 'schema_unknown' | 'shape_wrong';
      /** Names the first wrong place, never its content. */
      readonly message: string;
    };

/** Parses the JSON text of an activation record. */
export function parseActivation(text: string): ParsedActivation {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, code: 'not_json', message: 'the activation record is not json' };
  }
  const schema = schemaOf(value);
  if (schema !== undefined && schema !== ACTIVATION_SCHEMA) {
    const message = `the activation record has schema ${schema}, this version reads ${ACTIVATION_SCHEMA}`;
    return { ok: false, code: 'schema_unknown', message };
  }
  if (!Value.Check(RecordShape, value)) {
    const place = Value.Errors(RecordShape, value)[0]?.instancePath ?? '';
    const message = `the activation record is wrong at \`${place === '' ? '/' : place}\``;
    return { ok: false, code: 'shape_wrong', message };
  }
  return { ok: true, record: value as ActivationRecord };
}

function schemaOf(value: unknown): number | undefined {
  const schema =
    typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  return typeof schema === 'number' ? schema : undefined;
}
