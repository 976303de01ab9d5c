/** A request to an API whose body is one JSON object: the words in it, and what it says besides. */
import type { ApiNames } from './api-names.ts';
import type { AppendForm, Frame, RequestFacts } from './frame.ts';
import type { Opened } from './frame-reading.ts';
import { type JsonObject, memberOf } from './json.ts';
import { appendingEdit, JsonDocumentReader } from './json-document.ts';
import { jsonFrame, type Swap, unreadableFrame } from './json-frame.ts';
import { stringValue } from './json-string.ts';
import type { FormatLimits } from './limits.ts';
import type { Pace } from './pace.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';
import {
  type ChangeOutcome,
  modelSwaps,
  type RequestChange,
  RequestText,
  type SystemWriter,
} from './request-change.ts';

/** What tells the requests of one API from those of another. */
export interface RequestForm {
  readonly names: ApiNames;
  /** Members of which a request has at least one: with words but none of these, it is meant for another API. */
  readonly expects: readonly string[];
  /** `collect` may be stopped anywhere: it asks for nothing behind what the collector may put off. */
  readonly inOrder?: true;
  /** Collects every string that a model may read. */
  collect(root: JsonObject, collector: PieceCollector): void;
  facts(root: JsonObject, bytes: Uint8Array): RequestFacts;
  /** Texts that can be added to. */
  readonly appends?: RegExp;
  /** Puts words where the API takes those of the system; absent where it takes none. */
  readonly system?: SystemWriter;
  /** The body does not name the model: another one is asked in another way. */
  readonly modelElsewhere?: true;
}

export class RequestReader extends JsonDocumentReader {
  readonly #form: RequestForm;

  constructor(limits: FormatLimits, form: RequestForm) {
    super(limits, form.names);
    this.#form = form;
  }

  protected read(root: JsonObject, bytes: Uint8Array, pace: Pace | undefined): Opened {
    const form = this.#form;
    const visits = form.inOrder ? 'in_turn' : 'at_once';
    const collector = new PieceCollector(bytes, new KeyCounter(), pace, visits);
    form.collect(root, collector);
    return { collector, frame: () => this.#frame(root, bytes, collector) };
  }

  #frame(root: JsonObject, bytes: Uint8Array, collector: PieceCollector): Frame {
    const form = this.#form;
    const { pieces, literals, tools, entries, unreadable } = collector;
    if (unreadable !== undefined) return unreadableFrame(bytes, unreadable);
    if (pieces.length > 0 && form.expects.every((name) => memberOf(root, name) === undefined))
      return unreadableFrame(bytes, 'not_a_request');
    const request = form.facts(root, bytes);
    let written: readonly Swap[] = [];
    const swaps = () => written;
    const frame = jsonFrame({
      raw: bytes,
      data: bytes,
      pieces,
      literals,
      tools,
      entries,
      ends: [],
      request,
      swaps,
    });
    const change = (wanted: RequestChange): ChangeOutcome => {
      const found = swapsOf(form, new RequestText(root, bytes), wanted);
      if (found === undefined) return 'impossible';
      written = found;
      return found.length === 0 ? 'already' : 'changed';
    };
    return Object.assign(frame, { change, stale: () => written.length > 0 });
  }

  /** Half a request cannot be ended as a refusal; it is answered instead. */
  refuse(): readonly Uint8Array[] {
    return [];
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    const edit = this.#form.appends?.test(text) && appendingEdit(text, addition, before);
    return edit || { kind: 'impossible' };
  }
}

function swapsOf(
  form: RequestForm,
  request: RequestText,
  { words, model, modelInPath = false }: RequestChange,
): readonly Swap[] | undefined {
  // Two members that are new to an empty object would stand without a comma, and no API takes it.
  if (request.root.members.length === 0) return undefined;
  const said = words === undefined ? [] : form.system?.(request, words);
  const asked =
    model === undefined || form.modelElsewhere ? [] : modelSwaps(request, model, modelInPath);
  return said && asked && [...asked, ...said];
}

/** What a request says besides its text, where its members are called `model` and `stream`. */
export function requestFacts(root: JsonObject, bytes: Uint8Array): RequestFacts {
  const stream = memberOf(root, 'stream')?.kind === 'true';
  const named = root.members.filter(({ key }) => key === 'model');
  const model = named.at(-1);
  // In another spelling it is a model to some servers only.
  const modelInDoubt =
    named.length > 1 || (model !== undefined && stringValue(bytes, model.name) !== 'model');
  return model?.value.kind === 'string'
    ? { model: stringValue(bytes, model.value), modelInDoubt, stream }
    : { modelInDoubt, stream };
}
