/**
 * One automaton of many forms, which says of every end whose form ends there, and with which of them a candidate
 * may begin at all: what stands before it rules out most, and then nothing is followed.
 */
import { Heads } from '../heads.ts';
import type { FormStarts } from '../regex-dfa.ts';
import { type Automaton, BOUNDARY, type Node } from '../regex-nodes.ts';
import { automatonOf } from '../regex-reader.ts';

/** A way of writing something: forms that differ in none of these are one. */
export interface Written {
  /** RE2 syntax. */
  readonly expression: string;
  /** What must not stand directly before it (`heads.ts`). */
  readonly head: string;
  /** What behind it is read as well, so that a check can tell that it is part of something longer; '' for nothing. */
  readonly tail: string;
  /** Where no word boundary is asked for. */
  readonly open: 'start' | 'end' | undefined;
}

/** A start inside of a word is none, in any form: one that is open there begins with a sign, or asks for itself. */
const INSIDE_WORD = '\\w';

const automata = new Map<string, Automaton>();

function rememberedAutomatonOf(expression: string): Automaton {
  const automaton = automata.get(expression) ?? automatonOf(expression);
  automata.set(expression, automaton);
  return automaton;
}

/** `tag` of an end: the place of its form in `forms`. */
export function formAutomaton(
  forms: readonly Written[],
): FormStarts & { readonly automaton: Automaton } {
  const nodes: Node[] = [];
  const add = (node: Node): number => nodes.push(node) - 1;
  /** Copies an automaton; what led to a match leads to `end` instead. */
  const copy = ({ nodes: copied, start }: Automaton, end: number): number => {
    const first = nodes.length;
    for (const node of copied)
      if (node.op === 'split')
        nodes.push({ op: 'split', outs: node.outs.map((out) => first + out) });
      else if (node.op === 'unit' || node.op === 'assert')
        nodes.push({ ...node, out: first + node.out });
      else nodes.push(node.op === 'match' ? { op: 'split', outs: [end] } : node);
    return first + start;
  };
  const further = add({ op: 'match' });
  const starts = forms.map(({ expression, tail, open }, tag) => {
    const whole = add({ op: 'match', tag });
    const end = open === 'end' ? whole : add({ op: 'assert', mask: BOUNDARY, out: whole });
    const outs = tail === '' ? [end] : [end, copy(rememberedAutomatonOf(`(?:${tail})`), further)];
    const start = open === 'start' ? '' : '\\b';
    return copy(rememberedAutomatonOf(`${start}(?:${expression})`), add({ op: 'split', outs }));
  });
  const heads = [...new Set(forms.map(headOf))];
  const bits = forms.map((form) => 1 << heads.indexOf(headOf(form)));
  return {
    automaton: { nodes, start: add({ op: 'split', outs: starts }) },
    heads: new Heads(heads),
    startsPast: (refused) => starts.filter((_, form) => ((bits[form] as number) & refused) === 0),
  };
}

const headOf = ({ head }: Written): string =>
  head === '' ? INSIDE_WORD : `${INSIDE_WORD}|${head}`;
