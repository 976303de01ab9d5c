/** Every word under `then:`. A new action is a file of its own and a line here. */
import { Type } from 'typebox';
import { quote } from '../errors.ts';
import { child, type Located, plain } from '../located.ts';
import { closed, words } from '../schema-parts.ts';
import type { Action } from '../set.ts';
import { ALLOW } from './allow.ts';
import { APPEND } from './append.ts';
import { BLOCK } from './block.ts';
import { CLAMP } from './clamp.ts';
import { FLAG } from './flag.ts';
import { HOLD } from './hold.ts';
import { INJECT } from './inject.ts';
import type { ActionContext, ActionKind } from './kind.ts';
import { REDACT } from './redact.ts';
import { REMOVE } from './remove.ts';
import { REWRITE } from './rewrite.ts';
import { ROUTE } from './route.ts';
import { THROTTLE } from './throttle.ts';

/** `restore` is what a reversible `redact` does to answers, and no word of its own. */
type ActionWord = Exclude<Action['kind'], 'restore'>;

export const ACTION_KINDS: Readonly<Record<ActionWord, ActionKind>> = Object.freeze({
  allow: ALLOW,
  flag: FLAG,
  block: BLOCK,
  redact: REDACT,
  rewrite: REWRITE,
  append: APPEND,
  remove: REMOVE,
  clamp: CLAMP,
  inject: INJECT,
  route: ROUTE,
  throttle: THROTTLE,
  hold: HOLD,
});

const entries = Object.entries(ACTION_KINDS);

/** `then`: a word, or a word with its settings. */
export const ThenSchema = Type.Union([
  words(
    entries.filter(([, { example }]) => example === undefined).map(([word]) => word),
    {
      'x-settings': Object.fromEntries(
        entries.flatMap(([word, { example }]) => (example === undefined ? [] : [[word, example]])),
      ),
    },
  ),
  Type.Object(
    Object.fromEntries(entries.map(([word, { schema }]) => [word, Type.Optional(schema)])),
    { ...closed, minProperties: 1, maxProperties: 1 },
  ),
]);

export interface CompiledThen {
  readonly action: Action;
  /** The author's text that it writes. */
  readonly text?: string;
}

/**
 * The action of a `then` that the schema accepts. May have reported something, so that what it returns is of
 * use only if it did not.
 */
export function compileThen(
  then: Located,
  context: Omit<ActionContext, 'node'> & { readonly hasMatch: boolean },
): CompiledThen {
  const word = wordOf(then);
  const kind = ACTION_KINDS[word];
  const settingsNode = child(then, word);
  const settings: unknown = settingsNode === undefined ? {} : plain(settingsNode);
  if (kind.needsMatch && !context.hasMatch) {
    context.report(
      then.at,
      'action_needs_match',
      `${quote(word)} acts on what was found in a text; add \`match\` and \`inspect\``,
    );
  }
  const text = kind.text?.(settings);
  if (text?.trim() === '') {
    context.report(
      then.at,
      'replacement_empty',
      `the text of ${quote(word)} is empty and could join its neighbours into a match; write a text`,
    );
  }
  const action = Object.freeze(kind.compile(settings, { ...context, node: then }));
  return text === undefined ? { action } : { action, text };
}

function wordOf(then: Located): ActionWord {
  const word = then.kind === 'map' ? then.entries[0]?.key : plain(then);
  return word as ActionWord;
}
