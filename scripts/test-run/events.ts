// Owns the reports of a test process to the runner: a reporter of node:test that writes one JSON object per line, and the reading of those
// lines. The reporter is loaded into the test process by its path. It runs on every supported Node, so it may only use events and fields that
// Node 20 has.

import type { TestEvent } from 'node:test/reporters';

/** The names of the numbers in Node's own summary. */
export const countNames = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const;
export type Counts = Record<(typeof countNames)[number], number>;

export interface SkippedTest {
  /** Suites and test, outermost first, joined by ` > `. */
  readonly name: string;
  readonly reason: string;
}

export interface FileEvents {
  /** Null when the process ended before node:test had finished. */
  readonly counts: Counts | null;
  readonly skipped: readonly SkippedTest[];
  /** The names, as in `skipped`. A suite is here only if it failed itself, not because of a test in it. */
  readonly failed: readonly string[];
  /** How many tests and suites were reported as ended. */
  readonly finished: number;
  /** The `diagnostic` texts of passed tests: numbers of cases, seeds. */
  readonly notes: readonly string[];
  /** The tests that have begun and not ended, in the order in which they began. A suite is here only if none of its tests is. */
  readonly running: readonly RunningTest[];
}

export interface RunningTest {
  /** As in `skipped`. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** Node reports `start` and `end` of tests in their order, long after a test began; `run` and `done` when it happens. */
type Line =
  | { readonly kind: 'run'; readonly name: string; readonly nesting: number; readonly at: number }
  | { readonly kind: 'done'; readonly name: string; readonly nesting: number }
  | { readonly kind: 'start'; readonly name: string; readonly nesting: number }
  | {
      readonly kind: 'end';
      readonly name: string;
      readonly nesting: number;
      readonly hasFailed?: boolean;
      readonly skip?: string | boolean;
    }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'count'; readonly name: keyof Counts; readonly value: number };

/** Node 20's text for a test that `--test-name-pattern` leaves out. Later versions do not report such tests. */
const notSelected = 'test name does not match pattern';

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const line = toLine(event);
    if (line !== null) yield `${JSON.stringify(line)}\n`;
  }
}

function toLine(event: TestEvent): Line | null {
  switch (event.type) {
    case 'test:dequeue':
      return { kind: 'run', name: event.data.name, nesting: event.data.nesting, at: Date.now() };
    case 'test:complete':
      return { kind: 'done', name: event.data.name, nesting: event.data.nesting };
    case 'test:start':
      return { kind: 'start', name: event.data.name, nesting: event.data.nesting };
    case 'test:pass': {
      const { name, nesting, skip } = event.data;
      return { kind: 'end', name, nesting, ...(skip === undefined ? {} : { skip }) };
    }
    case 'test:fail': {
      const { name, nesting, details, todo } = event.data;
      const isOfSubtest = (details.error as { failureType?: string }).failureType === 'subtestsFailed';
      return { kind: 'end', name, nesting, hasFailed: !isOfSubtest && todo === undefined };
    }
    case 'test:diagnostic': {
      // Every version reports the numbers at the end as diagnostics. Node 20 does not have the event for them.
      const { message, nesting } = event.data;
      if (nesting > 0) return { kind: 'note', text: message };
      const found = /^(\w+) (\d+)$/.exec(message);
      const name = countNames.find((count) => count === found?.[1]);
      return name === undefined ? null : { kind: 'count', name, value: Number(found?.[2]) };
    }
    default:
      return null;
  }
}

/** Reads what `report` wrote. The last line may be cut off, since the process may have been killed. */
export function readEvents(text: string): FileEvents {
  const open: string[] = [];
  const skipped: SkippedTest[] = [];
  const failed: string[] = [];
  const notes: string[] = [];
  const counts: Partial<Counts> = {};
  const running = new Running();
  let notSelectedTests = 0;
  let finished = 0;
  for (const line of completeLines(text)) {
    if (line.kind === 'count') {
      counts[line.name] = line.value;
      continue;
    }
    if (line.kind === 'note') {
      notes.push(line.text);
      continue;
    }
    if (line.kind === 'run' || line.kind === 'done') {
      running.take(line);
      continue;
    }
    open.length = Math.min(open.length, line.nesting);
    if (line.kind === 'start') {
      open.push(line.name);
      continue;
    }
    finished += 1;
    const name = [...open, line.name].join(' > ');
    if (line.hasFailed) failed.push(name);
    if (line.skip === notSelected) notSelectedTests += 1;
    else if (line.skip !== undefined && line.skip !== false) skipped.push({ name, reason: reasonOf(line.skip) });
  }
  const isComplete = countNames.every((name) => counts[name] !== undefined);
  return {
    counts: isComplete ? withoutUnselected(counts as Counts, notSelectedTests) : null,
    skipped,
    failed,
    notes,
    finished,
    running: running.list(),
  };
}

/** What has begun and not ended. Tests beside each other may have the same name; then it does not matter which of them is left. */
class Running {
  readonly #begun: { readonly path: readonly string[]; readonly nesting: number; readonly at: number }[] = [];

  take(line: Line & { readonly kind: 'run' | 'done' }): void {
    const { name, nesting } = line;
    if (line.kind === 'run') {
      // Tests of several suites never run beside each other here, so the last suite that began is the parent.
      const parent = this.#begun.findLast((begun) => begun.nesting === nesting - 1);
      this.#begun.push({ path: [...(parent?.path ?? []), name], nesting, at: line.at });
      return;
    }
    const index = this.#begun.findIndex((begun) => begun.nesting === nesting && begun.path.at(-1) === name);
    if (index >= 0) this.#begun.splice(index, 1);
  }

  list(): RunningTest[] {
    const isParent = (path: readonly string[]): boolean =>
      this.#begun.some((other) => other.path.length > path.length && path.every((name, i) => other.path[i] === name));
    return this.#begun
      .filter(({ path }) => !isParent(path))
      .map(({ path, at }) => ({ name: path.join(' > '), since: at }));
  }
}

function completeLines(text: string): Line[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

function reasonOf(skip: string | true): string {
  return skip === true || skip === '' ? 'no reason given' : skip;
}

/** Suites that are left out are skipped too, but only count as suites. So the difference is limited to 0. */
function withoutUnselected(counts: Counts, notSelectedTests: number): Counts {
  const left = Math.min(notSelectedTests, counts.skipped);
  return { ...counts, tests: counts.tests - left, skipped: counts.skipped - left };
}
