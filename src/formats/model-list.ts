/**
 * The list of models that `GET …/models` answers with, without those that are not for whoever asks: OpenAI and
 * Anthropic list them in `data` by `id`, Gemini in `models` by `name`. Every string of it is a text besides.
 */
import { Buffer } from 'node:buffer';
import { ApiNames } from './api-names.ts';
import { CHAT_WORDS, chatRefusalResponse } from './chat-refusal.ts';
import type { AppendForm, BodyReader, Format, Frame, Refusal } from './frame.ts';
import type { Opened } from './frame-reading.ts';
import type { JsonArray, JsonNode, JsonObject } from './json.ts';
import { JsonDocumentReader } from './json-document.ts';
import { jsonFrame, type Swap, unreadableFrame } from './json-frame.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';

/** As they are written: nobody spells a list in another way to hide a name from its reader. */
const NAMES = new ApiNames('data models id name first_id last_id');

/** The format of such an answer; `permits` is told the name of each model. */
export function modelList(
  permits: (model: string) => boolean,
  limits: FormatLimits = DEFAULT_FORMAT_LIMITS,
): Format {
  return Object.freeze({
    name: 'json' as const,
    messages: 'none' as const,
    reader: (): BodyReader => new ModelListReader(limits, permits),
    refusalResponse: (
      refusal: Refusal,
      status: number,
      as: 'error' | 'refusal',
      streamed: boolean,
    ) => chatRefusalResponse(CHAT_WORDS, refusal, status, as, streamed),
  });
}

class ModelListReader extends JsonDocumentReader {
  readonly #permits: (model: string) => boolean;

  constructor(limits: FormatLimits, permits: (model: string) => boolean) {
    super(limits, NAMES);
    this.#permits = permits;
  }

  protected read(root: JsonObject, bytes: Uint8Array): Opened {
    const collector = new PieceCollector(bytes, new KeyCounter());
    for (const member of root.members) {
      collector.name(member, 'model', 'assistant');
      collector.standAlone(member.value, 'model', 'assistant');
    }
    return { collector, frame: () => this.#frame(root, bytes, collector) };
  }

  #frame(root: JsonObject, bytes: Uint8Array, collector: PieceCollector): Frame {
    const { pieces, literals } = collector;
    const lists = root.members.filter(({ key }) => key === 'data' || key === 'models');
    if (lists.length === 0) return unreadableFrame(bytes, 'not_a_model_list');
    const hidden: Swap[] = [];
    for (const { value } of lists) {
      if (value.kind !== 'array') return unreadableFrame(bytes, 'not_a_model_list');
      const kept = value.items.filter((item) => this.#mayShow(item, collector));
      if (kept.length < value.items.length) hidden.push(shortened(value, kept, bytes));
    }
    if (hidden.length > 0)
      // Anthropic names the ends of the page besides; a name that is hidden would stand there all the same.
      for (const { key, value } of root.members)
        if ((key === 'first_id' || key === 'last_id') && !this.#isPermitted(value, collector))
          hidden.push({ node: value, json: 'null' });
    const swaps = () => hidden;
    const frame = jsonFrame({ raw: bytes, data: bytes, pieces, literals, ends: [], swaps });
    return Object.assign(frame, { stale: () => hidden.length > 0 });
  }

  /** By each of its names: what says none cannot be judged, and is not shown. */
  #mayShow(item: JsonNode, collector: PieceCollector): boolean {
    if (item.kind !== 'object') return this.#isPermitted(item, collector);
    const names = item.members.filter(({ key }) => key === 'id' || key === 'name');
    return names.length > 0 && names.every(({ value }) => this.#isPermitted(value, collector));
  }

  #isPermitted(node: JsonNode, collector: PieceCollector): boolean {
    return node.kind === 'string' && this.#permits(collector.valueOf(node));
  }

  refuse(): readonly Uint8Array[] {
    return [];
  }

  append(): AppendForm {
    return { kind: 'impossible' };
  }
}

/** The list with those items alone, each as it is written. */
function shortened(list: JsonArray, kept: readonly JsonNode[], bytes: Uint8Array): Swap {
  const written = kept.map(({ start, end }) => Buffer.from(bytes.subarray(start, end)).toString());
  return { node: list, json: `[${written.join(',')}]` };
}
