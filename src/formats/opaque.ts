/** A body whose format nobody here reads: it passes as it comes, or not at all. */

import { errorResponse } from './chat-refusal.ts';
import type { AppendForm, BodyReader, Format, Frame, Refusal } from './frame.ts';
import { unreadableFrame } from './json-frame.ts';

class OpaqueReader implements BodyReader {
  readonly pendingBytes = 0;

  push(bytes: Uint8Array): readonly Frame[] {
    return bytes.length === 0 ? [] : [unreadableFrame(Uint8Array.from(bytes), 'opaque_body')];
  }

  end(): readonly Frame[] {
    return [];
  }

  sent(): void {}

  refuse(): readonly Uint8Array[] {
    return [];
  }

  append(): AppendForm {
    return { kind: 'impossible' };
  }
}

export const opaque: Format = Object.freeze({
  name: 'opaque' as const,
  reader: (): BodyReader => new OpaqueReader(),
  refusalResponse: (refusal: Refusal, status: number) => errorResponse(refusal, status),
});
