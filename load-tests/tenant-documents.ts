/** Policies of many tenants: a thousand rules, of which a request is subject to ten. */
import type { PolicyFile } from '../src/policy/compile.ts';

export const TENANTS = 200;

/** Five rules of the platform, and five of each tenant: two that need headers only, three that read. */
export function tenantDocuments(tenants: number): PolicyFile[] {
  const rules = (of: string): string => `class: security
rules:
  - { id: grant, when: 'region == "nowhere-${of}"', then: block }
  - { id: hours, when: 'path.startsWith("/admin/${of}") && method == "DELETE"', then: flag }
  - { id: words, inspect: [request, response], match: { keywords: { words: [Project ${of}, ${of} launch] } }, then: block }
  - { id: rivals, inspect: [response], match: { keywords: { words: [Bank ${of}] } }, then: { rewrite: { with: another bank } } }
  - { id: addresses, inspect: [response], match: { pii: { entities: [email] } }, then: redact }
`;
  const tenantOf = (name: string): PolicyFile => ({
    path: `${name}.yaml`,
    text: `kind: Policy\nmetadata: { name: ${name}, layer: tenant, selector: { tenant: ${name} } }\n${rules(name)}`,
  });
  return [
    {
      path: 'platform.yaml',
      text: `kind: Policy\nmetadata: { name: platform, layer: platform }\n${rules('zebra')}`,
    },
    ...Array.from({ length: tenants }, (_, index) => tenantOf(`tenant-${index}`)),
  ];
}
