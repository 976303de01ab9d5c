/** `classifiers` of the configuration: what is taken, and where each mistake is told. */
import assert from 'node:assert/strict';
import { CLASSIFIER_DEFAULTS } from '../../src/engine/classifier-config.ts';
import { resolveConfig } from '../../src/engine/server-config.ts';

const resolved = (text: string) => resolveConfig({ path: 'switchyard.yaml', text }, {}, {});
const URL = 'url: "http://127.0.0.1:1/x"';
const one = (more: string): string => `classifiers:\n  - { name: a, ${more} }\n`;

describe('the configuration of classifiers', () => {
  it('has defaults for all but name and address', () => {
    const result = resolved(one(URL));
    assert.ok(result.ok);
    assert.deepEqual(result.config.classifiers, [
      {
        ...CLASSIFIER_DEFAULTS,
        ...{ model: undefined, tls: undefined, headers: [] },
        ...{ name: 'a', url: 'http://127.0.0.1:1/x' },
      },
    ]);
  });

  const wrong: readonly (readonly [text: string, complaint: RegExp])[] = [
    [one('url: hunter2'), /^2:21: .*`classifiers\.0\.url` must be a URL/],
    [one('url: "ftp://hunter2/"'), /`classifiers\.0\.url` must begin with `http:/],
    [one('url: "http://user:hunter2@h/"'), /`classifiers\.0\.url` must not hold a password/],
    [one('url: "http://h/#hunter2"'), /`classifiers\.0\.url` must not have a fragment/],
    [one(`${URL}, model: hunter2`), /`classifiers\.0\.model` belongs to the contract `openai`/],
    [one(`${URL}, tls: { certFile: hunter2 }`), /`classifiers\.0\.tls` needs both/],
    [one(`${URL}, headers: [{ name: x }]`), /`classifiers\.0\.headers\.0` must say where/],
    [
      one(`${URL}, headers: [{ name: x, env: A, file: hunter2 }]`),
      /`classifiers\.0\.headers\.0` must say where/,
    ],
    [one(`${URL}, headers: [{ name: "x y", env: A }]`), /`classifiers\.0\.headers\.0\.name`/],
    [one(`${URL}, headers: [{ name: x, value: hunter2 }]`), /headers\.0\.value` is not a key here/],
    [
      `${one(URL)}  - { name: a, ${URL} }\n`,
      /^3:13: .*`classifiers\.1\.name` is the name of another/,
    ],
    [one(`${URL}, contract: hunter2`), /must be one of `switchyard`, `litellm`, `openai`/],
    [one(`${URL}, windowUnits: 255`), /`classifiers\.0\.windowUnits` must be >= 256/],
    [one(`${URL}, deadlineMs: 0`), /`classifiers\.0\.deadlineMs` must be >= 1/],
    [one(`${URL}, concurrencyMax: 0`), /`classifiers\.0\.concurrencyMax` must be >= 1/],
  ];
  for (const [text, complaint] of wrong)
    it(`tells of ${complaint.source}`, () => {
      const result = resolved(text);
      assert.ok(!result.ok);
      assert.equal(result.errors.length, 1, result.errors.join('\n'));
      assert.match(result.errors[0]!.replace('switchyard.yaml:', ''), complaint);
      assert.doesNotMatch(result.errors[0]!, /hunter2/);
    });
});
