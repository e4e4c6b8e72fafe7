// Owns the judgement of what the members of the consumer's proof wrote down: nothing lost, nothing out of order, and a record twice only
// where its first reader died, was told that it lost the partition, or could not say that it was done.

export interface Verdict {
  /** Records handled for the first time. */
  consumed: number;
  lost: number;
  reordered: number;
  duplicates: number;
  duplicatesOutsideRebalances: number;
  evictions: number;
  truncations: number;
}

interface Span {
  readonly reader: string;
  readonly first: number;
  readonly next: number;
  readonly numbers: readonly number[];
  isDone: boolean;
}

export function newVerdict(): Verdict {
  return {
    consumed: 0,
    lost: 0,
    reordered: 0,
    duplicates: 0,
    duplicatesOutsideRebalances: 0,
    evictions: 0,
    truncations: 0,
  };
}

/**
 * @param lines     the ledger's
 * @param written   of each partition, the numbers acknowledged, in order
 * @param hasDied   whether a reader was killed, or its process was
 */
export function judge(
  lines: readonly string[],
  written: readonly (readonly number[])[],
  hasDied: (reader: string) => boolean,
): Verdict {
  const verdict = newVerdict();
  const spans = written.map((): Span[] => []);
  for (const line of lines) {
    const [, what, reader = '', partition, first, next, numbers] = line.split(' ');
    if (what === 'l') verdict.evictions++;
    if (what === 't') verdict.truncations++;
    if (what === 'h') {
      const list = numbers === undefined || numbers === '' ? [] : numbers.split(',').map(Number);
      spans[Number(partition)]!.push({
        reader,
        first: Number(first),
        next: Number(next),
        numbers: list,
        isDone: false,
      });
    }
    if (what === 'd') {
      const span = spans[Number(partition)]!.findLast((one) => one.reader === reader && one.first === Number(first));
      if (span !== undefined) span.isDone = true;
    }
  }
  for (const [partition, all] of spans.entries()) judgePartition(all, written[partition]!, hasDied, verdict);
  return verdict;
}

function judgePartition(
  spans: readonly Span[],
  written: readonly number[],
  hasDied: (reader: string) => boolean,
  verdict: Verdict,
): void {
  const readers = new Map<number, Span>();
  let upTo = -1;
  for (const span of spans) {
    for (const number of span.numbers) {
      const before = readers.get(number);
      if (before === undefined) {
        verdict.consumed++;
        // What is new comes in order, whoever reads.
        if (number <= upTo) verdict.reordered++;
        else upTo = number;
      } else {
        verdict.duplicates++;
        // Done and committed by a process that goes on, or closes in order: nobody may see it again.
        if (before.isDone && !hasDied(before.reader)) verdict.duplicatesOutsideRebalances++;
      }
      readers.set(number, span);
    }
  }
  for (const number of written) if (!readers.has(number)) verdict.lost++;
}
