/**
 * One line per suite file's tests that matter: failures in full, skips with their reason, and the closing
 * line `N passed, N failed, N skipped` alone at the end.
 */
import mocha from 'mocha';

/** How long after the last test the process may stay alive: what keeps it alive is a leak. */
const LINGER_MS_MAX = 10_000;
/** A failure's text beyond this is noise. */
const STACK_LINES_MAX = 40;

const { EVENT_SUITE_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING, EVENT_RUN_END } =
  mocha.Runner.constants;

function reasonOf(runnable) {
  for (let at = runnable; at !== undefined && at !== null; at = at.parent)
    if (typeof at.skipReason === 'string') return at.skipReason;
  return 'no reason given';
}

export default class Plain {
  #passed = 0;
  #failures = [];
  #skipped = 0;

  constructor(runner) {
    const suite = { passed: 0, failed: 0, skipped: 0, durationMs: 0 };
    let topTitle = '';
    const write = (line) => process.stdout.write(`${line}\n`);
    const enter = (test) => {
      topTitle = test.titlePath()[0] ?? '';
      suite.durationMs += test.duration ?? 0;
    };
    runner.on(EVENT_TEST_PASS, (test) => {
      enter(test);
      this.#passed++;
      suite.passed++;
    });
    runner.on(EVENT_TEST_PENDING, (test) => {
      enter(test);
      this.#skipped++;
      suite.skipped++;
      write(`skip ${test.titlePath().join(' > ')}: ${reasonOf(test)}`);
    });
    runner.on(EVENT_TEST_FAIL, (test, error) => {
      enter(test);
      suite.failed++;
      this.#failures.push([test, error]);
      write(`FAIL ${test.titlePath().join(' > ')}`);
    });
    runner.on(EVENT_SUITE_END, (ended) => {
      if (ended.parent?.root !== true) return;
      const mark = suite.failed > 0 ? 'FAIL' : '  ok';
      if (suite.passed + suite.failed > 0)
        write(`${mark} ${topTitle} (${suite.passed} passed, ${Math.round(suite.durationMs)} ms)`);
      Object.assign(suite, { passed: 0, failed: 0, skipped: 0, durationMs: 0 });
    });
    runner.on(EVENT_RUN_END, () => {
      for (const [test, error] of this.#failures) {
        write(`\n--- ${test.titlePath().join(' > ')}`);
        write(describe(error));
      }
    });
  }

  /** Called once by mocha after the run; the closing line is written when the process really ends. */
  done(failures, exit) {
    const watch = setTimeout(() => {
      const kept = process.getActiveResourcesInfo().join(', ');
      process.stdout.write(`\n--- the tests left something running: ${kept}\n`);
      this.#failures.push([]);
      process.exit(1);
    }, LINGER_MS_MAX);
    watch.unref();
    // Before our own handler: mocha's sets the exit code, and knows nothing of what was left running.
    exit(failures);
    process.on('exit', () => {
      const failed = this.#failures.length;
      if (failed > 0) process.exitCode = 1;
      process.stdout.write(`${this.#passed} passed, ${failed} failed, ${this.#skipped} skipped\n`);
    });
  }
}

function describe(error) {
  const stack = firstLines(error?.stack ?? String(error));
  const { expected, actual } = error ?? {};
  if (expected === undefined || stack.includes('+ actual')) return stack;
  return `${stack}\n  expected: ${shown(expected)}\n  actual:   ${shown(actual)}`;
}

function firstLines(text) {
  const lines = text.split('\n');
  return lines.length <= STACK_LINES_MAX
    ? text
    : [...lines.slice(0, STACK_LINES_MAX), '...'].join('\n');
}

function shown(value) {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 2_000);
  } catch {
    return String(value).slice(0, 2_000);
  }
}
