/** One rule for Check in our words, as `reference/go-opa/policy.rego` has it: a frozen tenant may only read. */
export const EQUAL_RULE: Readonly<Record<string, string>> = {
  'frozen.yaml': `apiVersion: switchyard/v1
kind: Policy
metadata: { name: frozen, layer: platform }
class: security
rules:
  - id: frozen
    when: headers["x-tenant"] == "frozen"
    readOnly: {}
`,
};
export const EQUAL_RULE_CONFIG = 'trustedHeaders: [x-tenant]\n';
/** What is asked, and the tenant whose request is refused. */
export const EQUAL_RULE_PATH = '/check';
export const FROZEN_TENANT = 'frozen';
