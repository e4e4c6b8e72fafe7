// Owns the list of partitions that one assignment has moved between members. It avoids that two partitions of a topic change places,
// because then both could have stayed. Network thread.

import type { TopicPartition } from '../../../common/config/consumer-config.ts';
import { keyOf } from '../partition.ts';
import { hashOfPartition, inTableOrder } from './java-order.ts';

interface Moved {
  readonly from: string;
  readonly to: string;
}

interface Group {
  readonly rows: TopicPartition[];
  maxSize: number;
}

export class PartitionMoves {
  readonly #moves = new Map<string, Moved>();
  /** The moves by topic, then by the two members. */
  readonly #groups = new Map<string, Map<string, Group>>();

  /** The partition to move instead, if a partition of the same topic was moved in the other direction before. */
  keyToMove({ topic, partition }: TopicPartition, from: string, to: string): string {
    const key = keyOf(topic, partition);
    const source = this.#moves.get(key)?.from ?? from;
    const group = this.#groups.get(topic)?.get(pairOf(to, source));
    if (group === undefined || group.rows.length === 0) return key;
    const first = inTableOrder(group.rows, hashOfPartition, group.maxSize)[0]!;
    return keyOf(first.topic, first.partition);
  }

  moved(row: TopicPartition, from: string, to: string): void {
    const key = keyOf(row.topic, row.partition);
    const before = this.#moves.get(key);
    if (before === undefined) {
      this.#add(row, key, { from, to });
      return;
    }
    this.#moves.delete(key);
    const group = this.#groups.get(row.topic)!.get(pairOf(before.from, before.to))!;
    group.rows.splice(
      group.rows.findIndex(({ partition }) => partition === row.partition),
      1,
    );
    if (group.rows.length === 0) this.#groups.get(row.topic)!.delete(pairOf(before.from, before.to));
    if (before.from !== to) this.#add(row, key, { from: before.from, to });
  }

  #add(row: TopicPartition, key: string, move: Moved): void {
    this.#moves.set(key, move);
    let pairs = this.#groups.get(row.topic);
    if (pairs === undefined) {
      pairs = new Map();
      this.#groups.set(row.topic, pairs);
    }
    const pair = pairOf(move.from, move.to);
    const group = pairs.get(pair) ?? { rows: [], maxSize: 0 };
    pairs.set(pair, group);
    group.rows.push({ topic: row.topic, partition: row.partition });
    group.maxSize = Math.max(group.maxSize, group.rows.length);
  }
}

function pairOf(from: string, to: string): string {
  return `${from.length}:${from}${to}`;
}
