/** What `npm start` prints when everything serves: lines to paste, and where to look. */

export interface GuideFacts {
  /** Port for clients; undefined without Envoy. */
  readonly envoyPort?: number;
  readonly envoyAdminPort?: number;
  readonly grpcAddress: string;
  readonly adminPort: number;
  /** As a person would type it, relative to where they are. */
  readonly policies: string;
  /** It is not the directory that this project brings. */
  readonly ownPolicies: boolean;
  readonly adminSocket: string;
  readonly logDirectory: string;
}

function chat(port: number, prompt: string, stream: boolean): string {
  const messages = `[{"role":"user","content":"${prompt}"}]`;
  const body = `{"model":"demo",${stream ? '"stream":true,' : ''}"messages":${messages}}`;
  return (
    `  curl -s${stream ? 'N' : ''} localhost:${port}/v1/chat/completions ` +
    `-H 'content-type: application/json' -d '${body}'`
  );
}

/** Of a directory of one's own nobody here knows what it refuses. */
function tryIt(port: number, policies: string, own: boolean): readonly string[] {
  if (own)
    return [
      'A prompt; the demo provider echoes it, or says whatever follows `say:`, also as a stream:',
      chat(port, 'Hello there', false),
      chat(port, 'say: Hello yourself', true),
      '',
      `Edit a policy in ${policies}, or copy one of policies/cookbook there, save, and try again: it decides within a`,
      'second. Save something broken: the old one goes on, and status says where the mistake is.',
      '',
    ];
  return [
    'A harmless prompt; the demo provider echoes it:',
    chat(port, 'Hello there', false),
    '',
    'A prompt that is refused:',
    chat(port, 'What is Project Zebra?', false),
    '',
    'A stream that is masked while it runs (the provider says whatever follows `say:`):',
    chat(port, 'say: Write to jane.doe@example.com or pay with 4111 1111 1111 1111 today.', true),
    '',
    `Edit ${policies}/platform-security.yaml (say, put another name in place of Project Zebra, in the rule and in`,
    'the cases below it), save, and try again: the new policy decides within a second. Save something broken, or',
    'what a case does not allow: the old one goes on, and status says where the mistake is.',
    '',
  ];
}

/** The guide, ending in a newline. Every command in it can be pasted as it stands. */
export function guide(facts: GuideFacts): string {
  const cli = `node dist/src/main.js --socket ${facts.adminSocket} status`;
  const places: readonly (readonly [string, string])[] = [
    ['metrics', `curl -s localhost:${facts.adminPort}/metrics`],
    ['health', `curl -s localhost:${facts.adminPort}/healthz`],
    ['status', `curl -s localhost:${facts.adminPort}/status`],
    ['the same, to read', cli],
    ...(facts.envoyAdminPort === undefined
      ? []
      : [
          [
            'Envoy itself',
            `curl -s localhost:${facts.envoyAdminPort}/stats?filter=switchyard`,
          ] as const,
        ]),
  ];
  const serving =
    facts.envoyPort === undefined
      ? `Switchyard serves ext_proc and ext_authz on ${facts.grpcAddress}. There is no Envoy before it.`
      : `Switchyard serves. Envoy listens on localhost:${facts.envoyPort}.`;
  return [
    '',
    serving,
    '',
    ...(facts.envoyPort === undefined
      ? ['Point an Envoy at it: envoy/switchyard.yaml shows how.', '']
      : tryIt(facts.envoyPort, facts.policies, facts.ownPolicies)),
    'Where to look:',
    ...places.map(([name, command]) => `  ${name.padEnd(18)} ${command}`),
    `  ${'logs'.padEnd(18)} ${facts.logDirectory}`,
    '',
    'Ctrl-C ends everything.',
    '',
  ].join('\n');
}
