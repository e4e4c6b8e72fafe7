// Owns the ends that the partitions had when a reader began, whether the reader has reached them, and how far it is. Main thread.

import type { KafkaClient, PlaceInLog } from '../../index.ts';
import type { Context } from '../context.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** Where a reader begins; without `offset` with the first record. */
export interface Beginning extends Place {
  readonly offset?: PlaceInLog;
}

interface Way extends Place {
  readonly end: bigint;
  /** Everything before it is behind the reader. */
  next: bigint;
}

export class EndOfLogs {
  /** The partitions whose end is not reached yet. */
  readonly #open: Map<string, Way>;
  /** The offsets between the beginning and the ends, at least 0. */
  readonly #total: number;

  private constructor(open: Map<string, Way>) {
    this.#open = open;
    this.#total = this.#left();
  }

  static async of(context: Context, client: KafkaClient, partitions: readonly Beginning[]): Promise<EndOfLogs> {
    const admin = client.admin({ timeoutMs: context.timeoutMs });
    const at = async (spec: 'earliest' | 'latest') =>
      (await admin.listOffsets(partitions.map(({ topic, partition }) => ({ topic, partition, at: spec })))).orThrow();
    const [first, last] = await Promise.all([at('earliest'), at('latest')]);
    const firsts = new Map([...first].map(([key, { offset }]) => [`${key.topic}-${key.partition}`, offset]));
    const places = new Map(partitions.map((one) => [`${one.topic}-${one.partition}`, one.offset]));
    const open = [...last].flatMap(([{ topic, partition }, { offset }]) => {
      const name = `${topic}-${partition}`;
      const end = offset?.toBigInt() ?? 0n;
      const first = firsts.get(name)?.toBigInt() ?? 0n;
      // There is nothing to wait for in an empty partition.
      return first === end
        ? []
        : [[name, { topic, partition, end, next: startOf(places.get(name), first, end) }] as const];
    });
    return new EndOfLogs(new Map(open));
  }

  /** Everything before `next` was read. */
  note(topic: string, partition: number, next: bigint): void {
    const name = `${topic}-${partition}`;
    const way = this.#open.get(name);
    if (way === undefined) return;
    way.next = next;
    if (next >= way.end) this.#open.delete(name);
  }

  /** How much was noted, 0 to 1. Null if there was nothing to read. */
  get share(): number | null {
    return this.#total === 0 ? null : 1 - this.#left() / this.#total;
  }

  #left(): number {
    let left = 0;
    for (const { next, end } of this.#open.values()) if (next < end) left += Number(end - next);
    return left;
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

function startOf(place: PlaceInLog | undefined, first: bigint, end: bigint): bigint {
  if (place === 'latest') return end;
  const isOffset = typeof place === 'bigint' || typeof place === 'number';
  const offset = isOffset ? BigInt(place) : first;
  return offset < first ? first : offset;
}
