// Owns the question whether a reader has reached the ends that the partitions had when it began. Main thread.

import type { KafkaClient } from '../../index.ts';
import type { Context } from '../context.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
}

export class EndOfLogs {
  /** What is not reached yet. */
  readonly #open: Map<string, Place & { readonly end: bigint }>;

  private constructor(open: Map<string, Place & { readonly end: bigint }>) {
    this.#open = open;
  }

  static async of(context: Context, client: KafkaClient, partitions: readonly Place[]): Promise<EndOfLogs> {
    const admin = client.admin({ timeoutMs: context.timeoutMs });
    const found = (await admin.listOffsets(partitions.map((one) => ({ ...one, at: 'latest' as const })))).orThrow();
    const open = [...found].map(([{ topic, partition }, { offset }]) => {
      const end = offset?.toBigInt() ?? 0n;
      return [`${topic}-${partition}`, { topic, partition, end }] as const;
    });
    return new EndOfLogs(new Map(open));
  }

  /** Everything before `next` was read. */
  note(topic: string, partition: number, next: bigint): void {
    const name = `${topic}-${partition}`;
    const end = this.#open.get(name)?.end;
    if (end !== undefined && next >= end) this.#open.delete(name);
  }

  /** @param position the reader's, which passes also what is no record, such as the marks of transactions */
  isReached(position: (place: Place) => bigint | null): boolean {
    for (const [name, place] of this.#open) {
      const at = position(place);
      if (at === null || at < place.end) return false;
      this.#open.delete(name);
    }
    return true;
  }
}
