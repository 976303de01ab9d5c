/** All classifiers of a configuration, as the engine asks them. */
import { type Agent, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { ClassifierConfig } from '../engine/classifier-config.ts';
import type { Classifiers } from '../engine/classifiers.ts';
import { Classifier, type ClassifierMeans } from './classifier.ts';
import { type Credentials, watchCredentials } from './credentials.ts';
import { isForbidden, postJson } from './http-call.ts';
import { CONTRACTS } from './table.ts';

export interface OpenClassifiers extends Classifiers {
  /** Calls that run or wait, by classifier. */
  backlogs(): readonly { readonly classifier: string; readonly calls: number }[];
  close(): void;
}

export interface OpenClassifiersOptions extends Omit<ClassifierMeans, 'contract' | 'post'> {
  readonly classifiers: readonly ClassifierConfig[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly credentialsPollMs: number;
  /** Its secrets or certificates have changed, and are in use or (`refused`) cannot be. */
  readonly onCredentials: (classifier: string, state: 'taken' | 'refused') => void;
}

/** Throws, before anything is asked, for what is missing: an `Error` that quotes no value. */
export function openClassifiers(options: OpenClassifiersOptions): OpenClassifiers {
  const closers: (() => void)[] = [];
  const byName = new Map<string, Classifier>();
  for (const config of options.classifiers) {
    const { name, answerBytesMax } = config;
    const url = new URL(config.url);
    if (isForbidden(url.hostname.replace(/^\[|\]$/gu, '')))
      throw new Error(
        `classifier \`${name}\`: \`url\` is a link-local address, which is never asked`,
      );
    const line = new Line(config, url, options);
    closers.push(() => line.close());
    byName.set(
      name,
      new Classifier(config, {
        ...options,
        contract: CONTRACTS[config.contract],
        post: (body, told) => postJson(body, { url, ...line.current, answerBytesMax }, told),
      }),
    );
  }
  return {
    ask(query, told) {
      const classifier = byName.get(query.classifier);
      if (classifier !== undefined) {
        classifier.ask(query, told);
        return;
      }
      options.metrics.classifierOutcome(query.classifier, 'not_configured');
      told({ kind: 'failed', reason: 'not_configured' });
    },
    backlogs: () =>
      [...byName].map(([classifier, { backlog }]) => ({ classifier, calls: backlog })),
    close() {
      for (const close of closers) close();
    },
  };
}

/** How one classifier is reached, with the credentials of now. */
class Line {
  current: { readonly agent: Agent; readonly headers: Credentials['headers'] };
  private readonly agents = new Set<Agent>();
  private readonly watch: { close(): void };

  constructor(config: ClassifierConfig, url: URL, options: OpenClassifiersOptions) {
    const { clock, environment, credentialsPollMs: pollMs, onCredentials } = options;
    const use = ({ headers, tls }: Credentials): Line['current'] => {
      const agent = agentFor(config, url, tls);
      this.agents.add(agent);
      return { agent, headers };
    };
    const { first, ...watch } = watchCredentials({
      ...{ config, environment, pollMs },
      onChange: (credentials) => {
        const { agent } = this.current;
        this.current = use(credentials);
        // Calls that run on its connections end within their deadline.
        clock.after(Math.max(config.deadlineMs, config.deferredDeadlineMs), () => {
          this.agents.delete(agent);
          agent.destroy();
        });
        onCredentials(config.name, 'taken');
      },
      onFault: () => onCredentials(config.name, 'refused'),
    });
    this.watch = watch;
    this.current = use(first);
  }

  close(): void {
    this.watch.close();
    for (const agent of this.agents) agent.destroy();
  }
}

function agentFor(
  { tls, concurrencyMax: maxSockets }: ClassifierConfig,
  url: URL,
  secure: Credentials['tls'],
): Agent {
  if (url.protocol !== 'https:') return new HttpAgent({ keepAlive: true, maxSockets });
  return new HttpsAgent({
    ...{ keepAlive: true, maxSockets },
    ...secure,
    ...(tls?.serverName !== undefined && { servername: tls.serverName }),
  });
}
