/** All classifiers of a configuration, as the engine asks them. Headers and keys are read once, at the start. */
import { readFileSync } from 'node:fs';
import { type Agent, Agent as HttpAgent, validateHeaderValue } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { ClassifierConfig } from '../engine/classifier-config.ts';
import type { Classifiers } from '../engine/classifiers.ts';
import { Classifier, type ClassifierMeans } from './classifier.ts';
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
}

/** Throws, before anything is asked, for what is missing: an `Error` that quotes no value. */
export function openClassifiers(options: OpenClassifiersOptions): OpenClassifiers {
  const agents: Agent[] = [];
  const byName = new Map<string, Classifier>();
  for (const config of options.classifiers) {
    const { name, concurrencyMax, answerBytesMax } = config;
    const url = new URL(config.url);
    if (isForbidden(url.hostname.replace(/^\[|\]$/gu, '')))
      throw new Error(
        `classifier \`${name}\`: \`url\` is a link-local address, which is never asked`,
      );
    const agent = agentFor(config, url, concurrencyMax);
    agents.push(agent);
    const headers = headersOf(config, options.environment);
    byName.set(
      name,
      new Classifier(config, {
        ...options,
        contract: CONTRACTS[config.contract],
        post: (body, told) => postJson(body, { url, agent, headers, answerBytesMax }, told),
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
      for (const agent of agents) agent.destroy();
    },
  };
}

function agentFor({ tls }: ClassifierConfig, url: URL, maxSockets: number): Agent {
  if (url.protocol !== 'https:') return new HttpAgent({ keepAlive: true, maxSockets });
  return new HttpsAgent({
    keepAlive: true,
    maxSockets,
    ...(tls?.caFile !== undefined && { ca: readFileSync(tls.caFile) }),
    ...(tls?.certFile !== undefined && { cert: readFileSync(tls.certFile) }),
    ...(tls?.keyFile !== undefined && { key: readFileSync(tls.keyFile) }),
    ...(tls?.serverName !== undefined && { servername: tls.serverName }),
  });
}

function headersOf(
  { name: classifier, headers }: ClassifierConfig,
  environment: OpenClassifiersOptions['environment'],
): Readonly<Record<string, string>> {
  const entries = headers.map(({ name, env, file, prefix = '' }) => {
    const value = file === undefined ? environment[env ?? ''] : readFileSync(file, 'utf8').trim();
    if (value === undefined || value === '')
      throw new Error(`classifier \`${classifier}\`: header \`${name}\` has no value`);
    const whole = `${prefix}${value}`;
    try {
      validateHeaderValue(name, whole);
    } catch {
      // Its own message is about the value.
      throw new Error(
        `classifier \`${classifier}\`: the value of header \`${name}\` cannot be sent`,
      );
    }
    return [name, whole] as const;
  });
  return Object.fromEntries(entries);
}
