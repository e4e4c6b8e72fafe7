// Owns the judgement of what the members of the consumer's proof wrote down: nothing lost, nothing out of order, and a record twice only
// where its first reader died, was told that it lost the partition, or could not say that it was done.

export interface Verdict {
  /** Records handled for the first time. */
  consumed: number;
  lost: number;
  reordered: number;
  duplicates: number;
  duplicatesOutsideRebalances: number;
  /** Living members that have lost their partitions, but for the next number. */
  evictions: number;
  /** Classic members whose group Kafka has made a classic one again before they had joined its last rebalance. */
  conversions: number;
  /** For each of both, what the logs of the member and of the brokers have said around that time. */
  lossReasons: string[];
  truncations: number;
}

/** The log of a member comes from another thread, and its main thread may be blocked: lines of this time may tell why it was evicted. */
const logBeforeMs = 20_000;
const logAfterMs = 5000;
const maxLogLines = 10;
const maxBrokerLines = 12;
/** A member learns of a conversion by a heartbeat, or by a commit before that. */
const conversionBeforeMs = 6000;
/** What the log says of a loss: the answer of the coordinator. */
const answerMark = 'was answered with';
/** The answer to a member that its group still has, in another generation. */
const oldGenerationMark = 'was answered with ILLEGAL_GENERATION';
const conversionMark = 'Converted the consumer group to a classic group';

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
    conversions: 0,
    lossReasons: [],
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
    if (what === 'l') noteLoss(line, lines, verdict);
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

/** Notes the lines of the logs nearest to the one that says that a member has lost partitions, each with its time from there. */
function noteLoss(lost: string, lines: readonly string[], verdict: Verdict): void {
  const [lostAt, , reader, partitions] = lost.split(' ');
  const said = lines
    .map((line) => /^(\d+) (?:w (\S+)|b \S+) (.*)$/.exec(line))
    .filter((parts) => parts !== null && (parts[2] === undefined || parts[2] === reader))
    .map((parts) => ({ ms: Number(parts![1]) - Number(lostAt), isOurs: parts![2] !== undefined, text: parts![3]! }))
    .filter(({ ms }) => ms >= -logBeforeMs && ms <= logAfterMs)
    .sort((a, b) => Math.abs(a.ms) - Math.abs(b.ms));
  const ours = said.filter(({ isOurs }) => isOurs).slice(0, maxLogLines);
  const brokers = said.filter(({ isOurs }) => !isOurs);
  const answer = ours.find(({ text }) => text.includes(answerMark));
  const isOfOldGeneration = answer?.text.includes(oldGenerationMark) === true;
  const isConverted = brokers.some(
    ({ ms, text }) => text.includes(conversionMark) && ms <= 0 && ms >= -conversionBeforeMs,
  );
  if (isOfOldGeneration && isConverted) verdict.conversions++;
  else verdict.evictions++;
  const inOrder = [...ours, ...brokers.slice(0, maxBrokerLines)]
    .sort((a, b) => a.ms - b.ms)
    .map(({ ms, isOurs, text }) => `${ms} ms: ${isOurs ? '' : 'broker: '}${text}`);
  const why = inOrder.length === 0 ? 'the logs say nothing' : inOrder.join(' | ');
  verdict.lossReasons.push(`${reader} lost ${partitions}: ${why}`);
}

/** What a broker's log says of the group, as lines of the ledger. */
export function brokerLines(log: string, broker: string, groupId: string): string[] {
  return log.split('\n').flatMap((line) => {
    const parts = /^(\S+) (\d\d:\d\d:\d\d),(\d{3}) \w+ .*\[GroupId (\S+)\] (.*) \(\S+\)$/.exec(line);
    if (parts === null || parts[4] !== groupId) return [];
    return [`${Date.parse(`${parts[1]}T${parts[2]}.${parts[3]}`)} b ${broker} ${parts[5]}`];
  });
}
