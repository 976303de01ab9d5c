/** One of several detectors: each finds its own, and what one finds hides nothing of the others. */
import { type Detector, type Partition, readsTexts } from './detector.ts';
import type { Subject, SubjectJudge } from './subject.ts';

/** Two members or more. Cost: that of its members. */
export function anyDetector(members: readonly Detector[]): Detector {
  const judge = anyJudge(members.flatMap((member) => member.judge ?? []));
  const texts = members.filter(readsTexts);
  const partitions = partitionsOf(texts);
  return Object.freeze({
    kind: 'any' as const,
    labels: Object.freeze([...new Set(members.flatMap(({ labels }) => labels))]),
    bytes: members.reduce((sum, { bytes }) => sum + bytes, 0),
    start: () => texts.flatMap((member) => [...member.start()]),
    matches: (text: string) => members.some((member) => member.matches(text)),
    ...(partitions === undefined ? {} : { partitions }),
    ...(judge === undefined ? {} : { judge }),
  });
}

/** Undefined unless all of them can share one automaton with others. */
function partitionsOf(members: readonly Detector[]): readonly Partition[] | undefined {
  if (members.length === 0) return undefined;
  const partitions: Partition[] = [];
  for (const { part, partitions: own, lanes, start } of members)
    if (lanes !== undefined) return undefined;
    else if (part !== undefined) partitions.push({ part, bytes: 0, start: () => start()[0]! });
    else if (own === undefined) return undefined;
    else partitions.push(...own);
  return Object.freeze(partitions);
}

function anyJudge(judges: readonly SubjectJudge[]): SubjectJudge | undefined {
  if (judges.length === 0) return undefined;
  const about = (kind: Subject['kind']) => judges.filter((judge) => judge.about(kind));
  return Object.freeze({
    about: (kind: Subject['kind']) => about(kind).length > 0,
    byName(subject: Subject) {
      const verdicts = about(subject.kind).map((judge) => judge.byName(subject));
      if (verdicts.includes('matches')) return 'matches';
      return verdicts.includes('input') ? 'input' : 'no';
    },
    byInput(subject, input) {
      const verdicts = about(subject.kind)
        .filter((judge) => judge.byName(subject) === 'input')
        .map((judge) => judge.byInput(subject, input));
      if (verdicts.includes('matches')) return 'matches';
      return verdicts.includes('failed') ? 'failed' : 'no';
    },
  } satisfies SubjectJudge);
}
