// Owns what one test process tells the runner: a reporter of node:test that writes one JSON object a line, loaded into that
// process by path, and the reading of those lines. The writing half runs on every Node the tests run on; it has to keep to
// events and fields that Node 20 has too.

import type { TestEvent } from 'node:test/reporters';

/** The numbers of Node's own summary, by its own words. */
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
  /** Names as in `skipped`; of a suite only when the fault is its own and not that of a test in it. */
  readonly failed: readonly string[];
  /** How many tests and suites were reported as ended. */
  readonly finished: number;
  /** What passed tests say they did, by `diagnostic`: numbers of cases, seeds. */
  readonly notes: readonly string[];
  /** The test started last and not finished, null when all were. */
  readonly unfinished: string | null;
}

type Line =
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

/** What Node 20 calls a test that `--test-name-pattern` leaves out; later versions do not mention such tests at all. */
const notSelected = 'test name does not match pattern';

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const line = toLine(event);
    if (line !== null) yield `${JSON.stringify(line)}\n`;
  }
}

function toLine(event: TestEvent): Line | null {
  switch (event.type) {
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
      // The closing numbers come as diagnostics in every version; the event made for them is not in Node 20.
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
    unfinished: open.length === 0 ? null : open.join(' > '),
  };
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

/** Suites left out are skipped too but counted as suites only, hence the bound. */
function withoutUnselected(counts: Counts, notSelectedTests: number): Counts {
  const left = Math.min(notSelectedTests, counts.skipped);
  return { ...counts, tests: counts.tests - left, skipped: counts.skipped - left };
}
