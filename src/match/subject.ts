/**
 * What is judged as a whole and not unit by unit: a tool's definition, a call of it, the result of a call, or
 * a JSON body. Its name may be all that a rule needs; otherwise it waits for what the tool is called with.
 */

export interface Subject {
  readonly kind: 'definition' | 'call' | 'result' | 'body';
  /** Of the tool; '' for a body and where none was said. */
  readonly name: string;
}

/** What a tool is called with, or a body, complete. */
export interface SubjectInput {
  /** UTF-8. */
  readonly bytes: Uint8Array;
  /** It is JSON, or should be; otherwise a text that a custom tool is called with. */
  readonly json: boolean;
}

/** `input`: the name is not enough. */
export type NameVerdict = 'matches' | 'no' | 'input';
/** `failed`: it cannot be told, which is no verdict (invariant 4). */
export type InputVerdict = 'matches' | 'no' | 'failed';

/** Total for any subject and any input. */
export interface SubjectJudge {
  /** Whether it has anything to say of this kind. */
  about(kind: Subject['kind']): boolean;
  byName(subject: Subject): NameVerdict;
  /** Asked only where the name was not enough. Cost: linear in the input. */
  byInput(subject: Subject, input: SubjectInput): InputVerdict;
}
