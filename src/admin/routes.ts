/** What each path of the admin API does. */
import type { IncomingMessage } from 'node:http';
import type { Control } from '../engine/control.ts';
import { AdminError, type Answer, json, text } from './answer.ts';
import { readObject } from './body.ts';
import { effectiveAsked } from './effective.ts';
import { checkBearer, checkHost } from './guard.ts';
import { MUTATIONS } from './mutations.ts';
import { statusPage } from './status-page.ts';

/** Searches for a decision that may run at once: each reads up to all audit files. */
export const DECISION_SEARCHES_MAX = 2;

/** Exchange ids and request ids as records hold them. */
const DECISION_ID = /^[0-9A-Za-z:._-]{1,128}$/;

/** How a request came in. */
export type Channel =
  | { readonly kind: 'socket' }
  | { readonly kind: 'tcp'; readonly names: readonly string[]; readonly token: string | undefined };

export interface RouteSources {
  readonly control: Control;
  readonly metrics: { render(): Promise<string>; readonly contentType: string };
  /** Why no set serves; undefined when one does. */
  readonly ready: () => string | undefined;
  readonly decisions: (id: string) => Promise<readonly unknown[]>;
  readonly nowMs: () => number;
}

/** Answers a request, or throws AdminError. */
export type Router = (request: IncomingMessage, channel: Channel) => Promise<Answer>;

export function createRouter(sources: RouteSources): Router {
  const { control } = sources;
  let searches = 0;

  async function decisions(id: string): Promise<Answer> {
    if (!DECISION_ID.test(id)) {
      throw new AdminError('invalid_argument', 'this is no exchange id and no request id');
    }
    if (searches >= DECISION_SEARCHES_MAX) {
      throw new AdminError('busy', 'other searches are running; ask again', { 'retry-after': '1' });
    }
    searches += 1;
    try {
      const records = await sources.decisions(id);
      if (records.length > 0) return json(200, { records });
    } finally {
      searches -= 1;
    }
    throw new AdminError('not_found', 'no kept record has this exchange id or request id');
  }

  function ready(): Answer {
    const reason = sources.ready();
    if (reason !== undefined) throw new AdminError('not_ready', reason);
    return json(200, { status: 'ready' });
  }

  function status(query: URLSearchParams): Answer {
    const format = query.get('format') ?? 'json';
    if (format === 'text') return text(statusPage(control.status(), sources.nowMs()));
    if (format !== 'json') throw new AdminError('invalid_argument', '`format` is json or text');
    return json(200, control.status());
  }

  async function read(path: string, query: URLSearchParams): Promise<Answer | undefined> {
    if (path === '/healthz') return json(200, { status: 'up' });
    if (path === '/readyz') return ready();
    if (path === '/status') return status(query);
    if (path === '/metrics')
      return text(await sources.metrics.render(), sources.metrics.contentType);
    if (path === '/effective') {
      const asked = effectiveAsked(query);
      const report = control.effective(asked);
      if (report !== undefined) return json(200, report);
      if (asked.cohort === 'canary') throw new AdminError('no_green', 'there is no candidate');
      throw new AdminError('not_ready', 'no policy set serves');
    }
    if (path.startsWith('/decisions/')) return decisions(path.slice('/decisions/'.length));
    return undefined;
  }

  async function change(name: string, request: IncomingMessage, channel: Channel): Promise<Answer> {
    if (channel.kind === 'tcp') checkBearer(request, channel.token);
    const body = await readObject(request);
    const outcome = await MUTATIONS[name]!(control, body, `admin-${channel.kind}`);
    if (!outcome.ok) throw new AdminError(outcome.code, outcome.message);
    return json(200, outcome);
  }

  return async (request, channel) => {
    if (channel.kind === 'tcp') checkHost(request, channel.names);
    const [path, search] = splitTarget(request.url ?? '');
    const mutation = /^\/v1\/([a-z]+)$/.exec(path)?.[1];
    if (mutation !== undefined && Object.hasOwn(MUTATIONS, mutation)) {
      allowMethods(request, ['POST']);
      return change(mutation, request, channel);
    }
    if (isRead(path)) {
      allowMethods(request, ['GET', 'HEAD']);
      const answer = await read(path, new URLSearchParams(search));
      if (answer !== undefined) return answer;
    }
    throw new AdminError('not_found', 'there is nothing at this path');
  };
}

const READ_PATHS: ReadonlySet<string> = new Set([
  '/healthz',
  '/readyz',
  '/status',
  '/metrics',
  '/effective',
]);

const isRead = (path: string): boolean => READ_PATHS.has(path) || path.startsWith('/decisions/');

function splitTarget(target: string): readonly [path: string, search: string] {
  const mark = target.indexOf('?');
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}

function allowMethods(request: IncomingMessage, methods: readonly string[]): void {
  if (methods.includes(request.method ?? '')) return;
  throw new AdminError('method_not_allowed', `use ${methods.join(' or ')} here`, {
    allow: methods.join(', '),
  });
}
