import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseDuration } from '../../src/cli/duration.ts';
import { printable } from '../../src/cli/printable.ts';
import { parseShare } from '../../src/cli/share.ts';

describe('durations', () => {
  it('are read with their units', () => {
    for (const [text, ms] of [
      ['2h', 7_200_000],
      ['30m', 1_800_000],
      ['90s', 90_000],
      ['1h30m', 5_400_000],
      ['0.5h', 1_800_000],
      ['1d', 86_400_000],
      [' 2h ', 7_200_000],
    ] as const) {
      assert.equal(parseDuration(text), ms, text);
    }
  });

  it('are refused without one', () => {
    for (const text of ['', '2', 'h', '-2h', '2x', '2h,30m', '0s', '1e3s', '2h 30', 'two hours']) {
      assert.throws(() => parseDuration(text), /write a duration/, text);
    }
  });
});

describe('shares', () => {
  it('are read as percent and ppm', () => {
    for (const [text, ppm] of [
      ['20%', 200_000],
      ['0.5%', 5_000],
      ['200000ppm', 200_000],
      ['100%', 1_000_000],
      ['1ppm', 1],
      ['0%', 0],
      ['0ppm', 0],
      ['0.0 %', 0],
    ] as const) {
      assert.equal(parseShare(text), ppm, text);
    }
  });

  it('are refused outside 0 to 100 %, and without a unit', () => {
    for (const text of [
      '',
      '20',
      '101%',
      '1000001ppm',
      '-1%',
      '.5%',
      '20 percent',
      '0',
      '0.00001%',
    ]) {
      assert.throws(() => parseShare(text), /write a share/, text);
    }
  });

  it('law: every ppm can be said', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (ppm) => {
        assert.equal(parseShare(`${ppm}ppm`), ppm);
      }),
    );
  });
});

describe('printable', () => {
  it('law: nothing is left that steers a terminal, and lines stay lines', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = printable(text);
        assert.doesNotMatch(shown.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
        assert.equal(shown.split('\n').length, text.split('\n').length);
      }),
    );
    assert.equal(printable('a\u001b[2J\u202eb\r\nc'), 'a?[2J?b?\nc');
  });
});
