/** Documents in which every kind of value of the language stands, to make mistakes in. */
export const VALID_DOCUMENTS: readonly string[] = [
  `kind: Policy
metadata: { name: stop-the-leak, layer: platform }
class: security
rules:
  - { id: project-name, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: block }
`,
  `apiVersion: switchyard/v1
kind: Policy
metadata:
  name: retail-assistant
  version: 2.3.1
  layer: tenant
  selector: { tenant: acme }
  owner: trust-and-safety@acme.example
class: security
rules:
  - id: rival-banks
    inspect: [response]
    match:
      keywords:
        words: [Bank A, Bank B]
        aliases: { Bank A: [BankA, B.A.] }
    then: { rewrite: { with: another bank } }
    priority: 5
  - id: no-pii-out
    inspect: [response, tool_result]
    match: { pii: { entities: [email, credit_card], except: [support@acme.example] } }
    then: redact
  - id: tickets
    inspect: [request, response]
    match: { regex: { pattern: 'TICKET-[0-9]{4,8}' } }
    then: flag
    enforcement: shadow
  - id: consent
    when: '!("profiling" in consent)'
    then: { block: { message: Please accept the terms first., status: 403, as: error } }
`,
  `kind: Policy
metadata:
  name: conduct
  layer: app
  selector:
    app: chat
    tenant: acme
class: operational
rules:
  - id: streamed-tickets
    inspect: [response]
    match:
      regex:
        pattern: '[A-Z]{2,4}-[0-9]{3,9}'
    then:
      append:
        text: Ask the desk for the number.
        oncePer: message
  - id: keys
    class: regulatory
    onError: deny
    signedOffBy: compliance@acme.example
    inspect: [system]
    match:
      secrets: {}
    then:
      block:
        status: 422
        message: No keys here.
  - id: hidden
    inspect: [retrieved, tool_definition]
    when: 'region == "eu" && time.getHours() < 20'
    match:
      invisible:
        classes: [tags]
    then: redact
    overridable: true
`,
];
