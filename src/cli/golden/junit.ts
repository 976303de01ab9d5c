/** Results as JUnit XML, in the form that build servers read: a suite for each policy, a case for each case. */
import type { CaseResult } from '../../engine/golden/run-case.ts';

export function junitReport(results: readonly CaseResult[]): string {
  const policies = [...new Set(results.map((result) => result.case.policy))];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="switchyard" ${counts(results)}>`,
    ...policies.flatMap((policy) => suiteOf(policy, results)),
    '</testsuites>',
    '',
  ].join('\n');
}

function counts(results: readonly CaseResult[]): string {
  const failures = results.filter(({ fault }) => fault !== undefined).length;
  return `tests="${results.length}" failures="${failures}"`;
}

function suiteOf(policy: string, results: readonly CaseResult[]): readonly string[] {
  const own = results.filter((result) => result.case.policy === policy);
  return [
    `  <testsuite name="${xml(policy)}" ${counts(own)}>`,
    ...own.map(caseOf),
    '  </testsuite>',
  ];
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
