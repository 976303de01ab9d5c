/** The words of JSON whose meaning nobody told: each string is a text, named by where it stands. */
import type { Place } from '../policy/set.ts';
import { ApiNames, folded } from './api-names.ts';
import type { JsonNode, JsonObject, JsonString } from './json.ts';
import { overlay } from './json-string.ts';
import { isToken, type PieceCollector } from './piece-collector.ts';

/**
 * Where text stands, as an operator writes it: names joined by dots, `[]` for the elements of an array,
 * `*` for any name (`messages[].content`). A path to an object or array means every string below it.
 */
export type TextPath = readonly string[];

/** What a path looks like. */
export const TEXT_PATH = /^(?:\*|[^.[\]*\s]+)(?:\[\])*(?:\.(?:\*|[^.[\]*\s]+)(?:\[\])*)*$/;

/** The steps of a path, names folded; undefined for one that cannot be read. */
export function textPath(written: string): TextPath | undefined {
  if (!TEXT_PATH.test(written)) return undefined;
  return written.split('.').flatMap((step) => {
    const [name, ...arrays] = step.split('[]');
    return [
      name === ANY ? ANY : folded(name!),
      ...arrays.slice(0, -1).map(() => ELEMENTS),
      ...(arrays.length > 0 ? [ELEMENTS] : []),
    ];
  });
}

/** The names in paths: a body may spell them as it likes. */
export function namesOf(paths: readonly TextPath[] | undefined): ApiNames {
  const steps = (paths ?? []).flat().filter((step) => step !== ELEMENTS && step !== ANY);
  return new ApiNames([...new Set(steps)].join(' '));
}

const ELEMENTS = '[]';
const ANY = '*';
/** Longest place that is remembered for the length of a stream. */
export const PLACE_UNITS_MAX = 256;

/** Reads the values of one body, one after another. What it remembers is bounded by `textsMax`. */
export class LeafReader {
  readonly #place: Place;
  readonly #paths: readonly TextPath[] | undefined;
  readonly #textsMax: number;
  /** Numbers for places, as names in them must not appear in a key. */
  readonly #known = new Map<string, number>();
  #unreadable: string | undefined;

  /** `paths`: where text stands; undefined for everywhere. */
  constructor(place: Place, paths: readonly TextPath[] | undefined, textsMax: number) {
    this.#place = place;
    this.#paths = paths;
    this.#textsMax = textsMax;
  }

  /**
   * Collects the texts of one value. `streamed`: strings at one place of later values go on with the text
   * of this one. What it returns says, once all is collected, why the value cannot be trusted, if so.
   */
  read(
    root: JsonNode,
    data: Uint8Array,
    collector: PieceCollector,
    streamed: boolean,
  ): () => string | undefined {
    this.#unreadable = undefined;
    this.#visit(root, '', this.#paths, { data, collector, streamed });
    return () => this.#unreadable;
  }

  #visit(node: JsonNode, at: string, paths: readonly TextPath[] | undefined, to: Target): void {
    if (paths?.length === 0) return;
    const chosen = paths?.some((path) => path.length === 0) ? undefined : paths;
    if (node.kind === 'string') {
      if (chosen === undefined) this.#leaf(node, at, to);
    } else if (node.kind === 'array') {
      const below = stepped(chosen, ELEMENTS);
      to.collector.each(node.items, (item, index) => {
        this.#visit(item, `${at}[${index}]`, below, to);
      });
    } else if (node.kind === 'object') {
      const here = to.streamed ? `${at}${entryOf(node, to)}` : at;
      to.collector.each(node.members, (member) => {
        const { key, value } = member;
        const below = stepped(chosen, key);
        // The names of fields, which every event repeats, are no words; others may be.
        if (chosen === undefined && !(to.streamed && FIELD_NAME.test(key)))
          to.collector.name(member, 'leaf', this.#place);
        if (to.streamed && kindOf(key, value, to) !== undefined)
          // The same word in every entry of a kind: joined to a text it would only be held for nothing.
          this.#visit(value, '', below, { ...to, streamed: false });
        else this.#visit(value, `${here}.${key}`, below, to);
      });
    } else if (chosen === undefined) {
      to.collector.standAlone(node, 'leaf', this.#place);
    }
  }

  #leaf(literal: JsonString, at: string, { collector, streamed }: Target): void {
    if (!streamed) {
      collector.standAlone(literal, 'leaf', this.#place);
      return;
    }
    const number = this.#known.get(at) ?? this.#known.size;
    if (number >= this.#textsMax || at.length > PLACE_UNITS_MAX)
      this.#unreadable ??= 'too_many_texts';
    else this.#known.set(at, number);
    collector.add(literal, `place/${number}`, this.#place, false);
  }
}

interface Target {
  readonly data: Uint8Array;
  readonly collector: PieceCollector;
  readonly streamed: boolean;
}

function stepped(
  paths: readonly TextPath[] | undefined,
  name: string,
): readonly TextPath[] | undefined {
  return paths
    ?.filter((path) => path[0] === name || (path[0] === ANY && name !== ELEMENTS))
    .map((path) => path.slice(1));
}

/**
 * What tells entries of a stream apart that stand in the same place: APIs number what they interleave
 * (`index`, `output_index`) and name the kinds of their events (`type`).
 */
function entryOf(object: JsonObject, to: Target): string {
  let entry = '';
  for (const { key, value } of object.members) {
    if (value.kind === 'number' && INDEX_NAME.test(key))
      // However it is written, as a client counts.
      entry += `#${key}=${Number(overlay(to.data).toString('latin1', value.start, value.end))}`;
    else {
      const kind = kindOf(key, value, to);
      if (kind !== undefined) entry += `#${kind}`;
    }
  }
  return entry;
}

/** The kind of entry that a member names, if it does. */
function kindOf(key: string, value: JsonNode, { collector }: Target): string | undefined {
  if (key !== 'type' || value.kind !== 'string') return undefined;
  const kind = collector.valueOf(value);
  return isToken(kind) ? kind : undefined;
}

const FIELD_NAME = /^[A-Za-z_]\w{0,39}$/;
const INDEX_NAME = /(?:^|_)index$|Index$/;
