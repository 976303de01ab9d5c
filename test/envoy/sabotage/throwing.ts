/**
 * A build that is not leaky but broken: where the query says, it throws an error whose name, message and
 * properties are made of everything that was read. What is told about a throw may hold none of it.
 */
import { DecisionDraft } from '../../../src/engine/decision.ts';
import { Exchange } from '../../../src/engine/exchange.ts';
import { BodyInspection } from '../../../src/engine/inspection.ts';
import type { ProcessEvent } from '../../../src/protocol/process.ts';

const read = new WeakMap<Exchange, string>();

function talkative(content: string): Error {
  return Object.assign(new Error(content), { name: content, code: content, details: content });
}

const event = Exchange.prototype.event;
Exchange.prototype.event = function (one: ProcessEvent) {
  const bytes = one.kind === 'body' ? Buffer.from(one.bytes).toString('utf8') : '';
  const names = ['authorization', 'cookie', 'x-session-id'];
  const headers =
    one.kind === 'headers' ? names.map((name) => one.headers.get(name) ?? '').join(' ') : '';
  const path = one.kind === 'headers' ? (one.headers.get(':path') ?? this.path) : this.path;
  const content = `${read.get(this) ?? ''} ${headers} ${path} ${bytes}`;
  read.set(this, content);
  const fault = new URLSearchParams(path.split('?')[1]).get('fault');
  if (fault === `${one.direction}-${one.kind}`) throw talkative(content);
  if (fault === 'later' && one.kind === 'headers' && one.direction === 'request')
    setTimeout(() => {
      throw talkative(content);
    });
  if (fault === 'rejected' && one.kind === 'headers' && one.direction === 'request')
    void Promise.reject(talkative(content));
  event.call(this, one);
};

const finish = BodyInspection.prototype.finish;
BodyInspection.prototype.finish = function (frames) {
  const step = finish.call(this, frames);
  const said = Buffer.concat(step.output).toString('utf8');
  if (said.includes('throw-inspection')) throw talkative(said);
  return step;
};

const close = DecisionDraft.prototype.close;
DecisionDraft.prototype.close = function (verdict, code) {
  const said = JSON.stringify(this.facts);
  if (said.includes('throw-close')) throw talkative(said);
  close.call(this, verdict, code);
};

await import('../../../src/main.ts');
