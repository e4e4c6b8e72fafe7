// Owns the ends that the partitions had when a reader began, and whether the reader has reached them. Main thread.

import type { KafkaClient } from '../../index.ts';
import type { Context } from '../context.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
}

export class EndOfLogs {
  /** The partitions whose end is not reached yet. */
  readonly #open: Map<string, Place & { readonly end: bigint }>;

  private constructor(open: Map<string, Place & { readonly end: bigint }>) {
    this.#open = open;
  }

  static async of(context: Context, client: KafkaClient, partitions: readonly Place[]): Promise<EndOfLogs> {
    const admin = client.admin({ timeoutMs: context.timeoutMs });
    const at = async (spec: 'earliest' | 'latest') =>
      (await admin.listOffsets(partitions.map((one) => ({ ...one, at: spec })))).orThrow();
    const [first, last] = await Promise.all([at('earliest'), at('latest')]);
    const firsts = new Map([...first].map(([key, { offset }]) => [`${key.topic}-${key.partition}`, offset]));
    const open = [...last].flatMap(([{ topic, partition }, { offset }]) => {
      const name = `${topic}-${partition}`;
      const end = offset?.toBigInt() ?? 0n;
      // There is nothing to wait for in an empty partition.
      return firsts.get(name)?.toBigInt() === end ? [] : [[name, { topic, partition, end }] as const];
    });
    return new EndOfLogs(new Map(open));
  }

  /** Everything before `next` was read. */
  note(topic: string, partition: number, next: bigint): void {
    const name = `${topic}-${partition}`;
    const end = this.#open.get(name)?.end;
    if (end !== undefined && next >= end) this.#open.delete(name);
  }

  /** Whether everything was noted. */
  get isReached(): boolean {
    return this.#open.size === 0;
  }

  /**
   * Whether the reader is at the ends. Use it only when no more records came. The position includes records that are on their way to
   * the reader, and also batches without records, such as the markers of transactions.
   */
  isReachedBy(position: (place: Place) => bigint | null): boolean {
    return [...this.#open.values()].every((place) => {
      const at = position(place);
      return at !== null && at >= place.end;
    });
  }
}
