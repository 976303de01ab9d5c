/**
 * Our own texts for injection in two halves: of each family the first, third, fifth … are to develop against, the
 * others are held out. Whoever changes signals looks at the first half only, misses and false alarms included.
 */
import { OTHERS_ATTACKS, USER_ATTACKS } from './injection-attacks.ts';
import { OTHERS_HARMLESS, USER_HARMLESS } from './injection-harmless.ts';

export interface OwnText {
  readonly from: 'user' | 'third party';
  readonly attack: boolean;
  readonly kind: string;
  readonly text: string;
  readonly heldOut: boolean;
}

const textsOf = (
  from: OwnText['from'],
  attack: boolean,
  families: Readonly<Record<string, readonly string[]>>,
): readonly OwnText[] =>
  Object.entries(families).flatMap(([kind, texts]) =>
    texts.map((text, index) => ({ from, attack, kind, text, heldOut: index % 2 === 1 })),
  );

export const OWN_TEXTS: readonly OwnText[] = [
  ...textsOf('user', true, USER_ATTACKS),
  ...textsOf('third party', true, OTHERS_ATTACKS),
  ...textsOf('user', false, USER_HARMLESS),
  ...textsOf('third party', false, OTHERS_HARMLESS),
];
