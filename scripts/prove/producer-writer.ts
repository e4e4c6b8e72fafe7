// Owns the writing of a proof: numbers in their order, each with its outcome in the ledger, until the time is over. Main thread, or a
// thread that is attached to the producer.

import type { Producer } from '../../src/index.ts';

/** One line of the ledger: who, which number, where, and `a`cknowledged, `f`ailed for certain, `?` failed and maybe written. */
export type Note = (writer: number, n: number, partition: number, outcome: Outcome) => void;
export type Outcome = 'a' | 'f' | '?';

export interface WriterTask {
  readonly index: number;
  readonly topic: string;
  readonly partitions: number;
  /** ms since the epoch. */
  readonly endAt: number;
  readonly inTransactions: boolean;
}

interface Sent {
  readonly number: number;
  readonly partition: number;
  readonly outcome: Promise<Outcome>;
}

/** Returns how often it blocked its thread. */
export async function writeNumbers(
  producer: Producer,
  task: WriterTask,
  random: (below: number) => number,
  note: Note,
): Promise<number> {
  const { index, topic, partitions, endAt } = task;
  let blocks = 0;
  let n = 0;
  const send = async (to: Pick<Producer, 'send'>, count: number): Promise<Sent[]> => {
    const sent: Sent[] = [];
    for (let i = 0; i < count; i++) {
      while (
        await producer.ready(200).then(
          () => false,
          () => true,
        )
      );
      const number = n++;
      const partition = random(partitions);
      const value = `${index} ${number} ${'x'.repeat(random(100))}`;
      const outcome = to.send(topic, { value, partition }).then(
        () => 'a' as const,
        (error: unknown) => ((error as { maybeWritten?: boolean }).maybeWritten === false ? 'f' : '?'),
      );
      sent.push({ number, partition, outcome });
    }
    return sent;
  };
  const noted: Promise<void>[] = [];
  while (Date.now() < endAt) {
    const count = 50 + random(400);
    if (random(20) === 0) {
      blocks++;
      const blockedUntil = performance.now() + random(500);
      while (performance.now() < blockedUntil);
    }
    if (!task.inTransactions) {
      const sent = await send(producer, count);
      noted.push(
        Promise.all(sent.map(({ outcome }) => outcome)).then((outcomes) => {
          for (const [i, outcome] of outcomes.entries()) note(index, sent[i]!.number, sent[i]!.partition, outcome);
        }),
      );
      continue;
    }
    let sent: Sent[] = [];
    let verdict: Outcome = 'a';
    try {
      await producer.transaction(async (tx) => {
        sent = await send(tx, count);
        await Promise.all(sent.map(({ outcome }) => outcome));
        if (random(5) === 0) throw new Error('aborted on purpose');
      });
    } catch (error) {
      verdict = (error as Error).message === 'aborted on purpose' ? 'f' : '?';
    }
    for (const { number, partition } of sent) note(index, number, partition, verdict);
  }
  await producer.flush();
  await Promise.all(noted);
  return blocks;
}
