/**
 * Results as JUnit XML, in the form that build servers read: a suite for each policy and stage, a case for each case.
 */
import type { Overridden } from '../../engine/golden/overrides.ts';
import type { CaseResult } from '../../engine/golden/run-case.ts';
import type { GoldenStage } from '../../policy/golden/schema.ts';

/** What came of a stage. */
export interface StageResults {
  readonly stage: GoldenStage;
  readonly results: readonly CaseResult[];
  /** As compile errors are told. */
  readonly faults: readonly string[];
  /** Cases; a fault may be another one, of an override. */
  readonly failed: number;
  readonly overridden: readonly Overridden[];
}

export function junitReport(stages: readonly StageResults[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="switchyard" ${counts(stages.flatMap(({ results }) => results))}>`,
    ...stages.flatMap(suitesOf),
    '</testsuites>',
    '',
  ].join('\n');
}

function counts(results: readonly CaseResult[]): string {
  const failures = results.filter(({ fault }) => fault !== undefined).length;
  return `tests="${results.length}" failures="${failures}"`;
}

function suitesOf({ stage, results }: StageResults): readonly string[] {
  const policies = [...new Set(results.map((result) => result.case.policy))];
  return policies.flatMap((policy) => {
    const own = results.filter((result) => result.case.policy === policy);
    const name = stage === 'slow' ? `${policy}, slow stage` : policy;
    return [
      `  <testsuite name="${xml(name)}" ${counts(own)}>`,
      ...own.map(caseOf),
      '  </testsuite>',
    ];
  });
}

function caseOf({ case: { name, policy, position }, fault }: CaseResult): string {
  const { file, line } = position;
  const head = `    <testcase classname="${xml(policy)}" name="${xml(name)}" file="${xml(file)}" line="${line}"`;
  if (fault === undefined) return `${head}/>`;
  return `${head}>\n      <failure message="${xml(fault)}">${xml(`${file}:${line}: ${fault}`)}</failure>\n    </testcase>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

/** Characters that XML 1.0 cannot hold, not even escaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are the ones
const NO_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

function xml(text: string): string {
  return text.replace(NO_XML, '\ufffd').replace(/[&<>"\n\r\t]/g, (found) => ENTITIES[found]!);
}
