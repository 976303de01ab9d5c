import assert from 'node:assert/strict';
import { detectFormat } from '../../src/formats/detect.ts';
import { opaque } from '../../src/formats/opaque.ts';
import { openaiChat } from '../../src/formats/openai-chat.ts';

const CHAT = '/v1/chat/completions';

const ROWS: readonly (readonly ['request' | 'response', string, string, string])[] = [
  ['request', CHAT, 'application/json', 'openai.chat whole'],
  ['request', `${CHAT}?api-version=1`, 'application/json; charset=UTF-8', 'openai.chat whole'],
  ['request', `${CHAT}/`, '', 'openai.chat whole'],
  ['request', '/openai/deployments/x/chat/completions', 'text/plain', 'openai.chat whole'],
  ['request', CHAT, 'application/json; charset="utf-16"', 'opaque streamed'],
  ['request', '/v1/chat%2Fcompletions', 'application/json', 'openai.chat whole'],
  ['request', '/v1/%2563hat//x/../completions.;a', 'text/plain', 'openai.chat whole'],
  ['request', '/v1/other?x=/chat/completions', 'application/json', 'opaque streamed'],
  ['request', '/v1/chat/completions/extra', 'application/json', 'opaque streamed'],
  ['request', '/say', 'text/plain', 'text whole'],
  ['response', CHAT, 'text/event-stream; charset=utf-8', 'openai.chat streamed'],
  ['response', CHAT, 'Text/Event-Stream', 'openai.chat streamed'],
  ['response', CHAT, 'application/json', 'openai.chat whole'],
  ['response', CHAT, 'application/problem+json', 'openai.chat whole'],
  ['response', CHAT, 'text/plain', 'opaque streamed'],
  ['response', CHAT, 'text/html', 'opaque streamed'],
  ['response', CHAT, 'application/octet-stream', 'opaque streamed'],
  ['response', CHAT, '', 'opaque streamed'],
  ['response', '/say', 'text/plain', 'text streamed'],
  ['response', '/say', 'text/event-stream', 'opaque streamed'],
  ['response', '/say', 'application/json', 'opaque streamed'],
];

describe('format detection', () => {
  for (const [direction, path, contentType, expected] of ROWS)
    it(`${direction} ${path} with ${contentType || 'no type'} is ${expected}`, () => {
      const { format, streamed } = detectFormat({ direction, path, contentType });
      assert.equal(`${format.name} ${streamed ? 'streamed' : 'whole'}`, expected);
    });

  it('follows the format of the request where that is known', () => {
    const body = { direction: 'response' as const, contentType: 'application/json' };
    const under = (path: string, requestFormat: typeof opaque) =>
      detectFormat({ ...body, path, requestFormat }).format.name;
    assert.equal(under('/rewritten', openaiChat), 'openai.chat');
    assert.equal(under(CHAT, opaque), 'opaque');
  });
});
