/**
 * The policy language of this version, once: types, validator (`read.ts` walks these schemas) and the
 * editor's JSON Schema all come from here. `x-later` names what belongs to the language but not yet to
 * this version, so that it gets its own answer instead of "unknown".
 */
import { type Static, Type } from 'typebox';
import { ThenSchema } from './actions/table.ts';
import { GoldenOverrideSchema } from './golden/override.ts';
import { GoldenSetSchema } from './golden/schema.ts';
import { MatchSchema } from './kinds/table.ts';
import { RESTRICTION_SCHEMAS } from './restrictions/table.ts';
import { closed, words } from './schema-parts.ts';
import { type FactName, LAYERS } from './set.ts';

const name = { pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$' };

/** Facts that a selector can ask for; held to set.ts by the type. */
export const FACT_NAMES = [
  'tenant',
  'app',
  'model',
  'principal',
  'region',
  'session',
  'risk',
  'consent',
] as const satisfies readonly FactName[];

const PolicyClassSchema = words(['security', 'operational', 'regulatory']);
const OnErrorSchema = words(['deny', 'allow']);
const EnforcementSchema = words(['enforce', 'shadow', 'off']);
const ApiVersionSchema = words(['switchyard/v1']);

const VersionSchema = Type.String({
  pattern: '^\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$',
  'x-example': '1.0.0',
});

const MetadataSchema = Type.Object(
  {
    name: Type.String(name),
    version: Type.Optional(VersionSchema),
    layer: words(LAYERS),
    // Keys are checked against the facts in compile.ts, which can say more than "unknown key".
    selector: Type.Optional(
      Type.Record(Type.String(), Type.String({ minLength: 1 }), { minProperties: 1 }),
    ),
    owner: Type.Optional(Type.String({ minLength: 1 })),
  },
  closed,
);

/** One rule: `when` + `match` + `then`, or `when` and a restriction (`compile-rule.ts` asks for one of them). */
export const RuleSchema = Type.Object(
  {
    id: Type.String(name),
    class: Type.Optional(PolicyClassSchema),
    inspect: Type.Optional(
      Type.Array(
        words([
          'request',
          'response',
          'system',
          'tool_definition',
          'tool_call',
          'tool_result',
          'retrieved',
        ]),
        { minItems: 1 },
      ),
    ),
    when: Type.Optional(Type.String({ minLength: 1 })),
    match: Type.Optional(MatchSchema),
    // biome-ignore lint/suspicious/noThenProperty: `then` is a word of the language, not a thenable
    then: Type.Optional(ThenSchema),
    ...RESTRICTION_SCHEMAS,
    // What happens to what a `limit` has counted when it changes; `restrictions/table.ts` asks for the limit.
    onChange: Type.Optional(
      Type.Object(
        {
          max: Type.Optional(words(['apply', 'freeze', 'finishWindow'])),
          window: Type.Optional(words(['convert', 'zero'])),
        },
        { ...closed, minProperties: 1 },
      ),
    ),
    onError: Type.Optional(OnErrorSchema),
    signedOffBy: Type.Optional(Type.String({ minLength: 1 })),
    priority: Type.Optional(Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 })),
    overridable: Type.Optional(Type.Boolean()),
    enforcement: Type.Optional(EnforcementSchema),
  },
  closed,
);

/** A module, and when its rules are asked. */
const UseSchema = Type.Union([
  Type.String(name),
  Type.Object(
    {
      module: Type.String(name),
      when: Type.Optional(Type.String({ minLength: 1 })),
      enforcement: Type.Optional(EnforcementSchema),
    },
    closed,
  ),
]);

/** What a policy and a module have in common. */
const shared = {
  apiVersion: Type.Optional(ApiVersionSchema),
  class: Type.Optional(PolicyClassSchema),
  enforcement: Type.Optional(EnforcementSchema),
  requires: Type.Optional(
    Type.Record(Type.String(), Type.String({ 'x-example': '">=2.1"' }), { minProperties: 1 }),
  ),
  use: Type.Optional(Type.Array(UseSchema, { minItems: 1 })),
};

const policyHead = {
  ...shared,
  kind: words(['Policy']),
  metadata: MetadataSchema,
  default: Type.Optional(words(['allow', 'deny'])),
};
const options = { ...closed, 'x-later': ['state', 'tests', 'onChange'] };

const moduleHead = {
  ...shared,
  kind: words(['Module']),
  metadata: Type.Object(
    {
      name: Type.String(name),
      version: Type.Optional(VersionSchema),
      owner: Type.Optional(Type.String({ minLength: 1 })),
    },
    closed,
  ),
};

/** `kind: Policy`, whole. */
export const PolicySchema = Type.Object(
  { ...policyHead, rules: Type.Optional(Type.Array(RuleSchema)) },
  options,
);

/** `kind: Module`: rules that take layer and selector from the policies that use them. */
export const ModuleSchema = Type.Object(
  { ...moduleHead, rules: Type.Optional(Type.Array(RuleSchema)) },
  options,
);

/** The same with the rules left unread: they are read one by one, so that each tells its own errors. */
export const PolicyHeadSchema = Type.Object(
  { ...policyHead, rules: Type.Optional(Type.Array(Type.Unknown())) },
  options,
);

export const ModuleHeadSchema = Type.Object(
  { ...moduleHead, rules: Type.Optional(Type.Array(Type.Unknown())) },
  options,
);

const Ratio = Type.Union([Type.Number({ minimum: 0 }), Type.String()]);

/** `kind: Rollout` in our own words. */
export const RolloutSchema = Type.Object(
  {
    apiVersion: Type.Optional(ApiVersionSchema),
    kind: words(['Rollout']),
    metadata: Type.Optional(
      Type.Object({ name: Type.String(name), owner: Type.Optional(Type.String()) }, closed),
    ),
    name: Type.Optional(Type.String(name)),
    stages: Type.Array(
      Type.Object(
        {
          share: Type.String({ 'x-example': '5%' }),
          duration: Type.Optional(Type.String({ 'x-example': '10m' })),
        },
        { ...closed, 'x-later': ['mode', 'success'] },
      ),
      { minItems: 1, maxItems: 20 },
    ),
    expect: Type.Optional(
      Type.Object({ denyRate: Type.Optional(words(['same', 'up', 'down'])) }, closed),
    ),
    denyRateChangeMax: Type.Optional(Ratio),
    errorRateMax: Type.Optional(Ratio),
    analysis: Type.Optional(
      Type.Object(
        { alpha: Type.Optional(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 0.5 })) },
        { ...closed, 'x-later': ['margin', 'onUnderpowered', 'mode'] },
      ),
    ),
  },
  { ...closed, 'x-later': ['key', 'shadow', 'strict', 'inFlight', 'warmUp'] },
);

const Threshold = Type.Optional(Type.Number({ minimum: 0 }));

const familiarBlock = {
  new_policy_id: Type.Optional(Type.String(name)),
  old_policy_id: Type.Optional(Type.String(name)),
  rollout_stages: Type.Array(
    Type.Object(
      {
        percentage: Type.Number({ exclusiveMinimum: 0, maximum: 100 }),
        duration_hours: Type.Number({ minimum: 0, maximum: 8_760 }),
        success_criteria: Type.Optional(
          Type.Object(
            {
              max_evaluation_error_rate: Threshold,
              max_deny_rate_change: Threshold,
              max_latency_p99_ms: Threshold,
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    { minItems: 1, maxItems: 20 },
  ),
  rollback_triggers: Type.Optional(
    Type.Object(
      {
        evaluation_error_rate_threshold: Threshold,
        deny_rate_change_threshold: Threshold,
        latency_p99_threshold_ms: Threshold,
      },
      closed,
    ),
  ),
};

/** The familiar block with its own key names, under `kind: Rollout` or bare. */
export const FamiliarRolloutSchema = Type.Object(
  {
    apiVersion: Type.Optional(ApiVersionSchema),
    kind: Type.Optional(words(['Rollout'])),
    canary_policy_deployment: Type.Object(familiarBlock, closed),
  },
  closed,
);

export type UseDocument = Static<typeof UseSchema>;
export type PolicyHead = Static<typeof PolicyHeadSchema>;
export type ModuleHead = Static<typeof ModuleHeadSchema>;
export type RuleDocument = Static<typeof RuleSchema>;
export type RolloutDocument = Static<typeof RolloutSchema>;
export type FamiliarRolloutDocument = Static<typeof FamiliarRolloutSchema>;

/** JSON Schema (draft 2020-12) of one document, for editors. A fresh copy without our own annotations. */
export function policyJsonSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://switchyard.dev/schema/policy-v1.json',
    title: 'Switchyard policy document',
    anyOf: [
      PolicySchema,
      ModuleSchema,
      GoldenSetSchema,
      GoldenOverrideSchema,
      RolloutSchema,
      FamiliarRolloutSchema,
    ].map(
      (schema) =>
        JSON.parse(
          JSON.stringify(schema, (key, value: unknown) =>
            key.startsWith('x-') ? undefined : value,
          ),
        ) as unknown,
    ),
  };
}
