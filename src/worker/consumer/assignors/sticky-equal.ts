// Owns the sticky assignment of a group whose members all have the same topics: counts differ by at most one, and every member keeps
// as many of its partitions as that allows. Network thread.

import type { TopicPartition } from '../../../common/config/consumer-config.ts';
import { append } from '../../../common/lists.ts';
import { keyOf } from '../partition.ts';
import { compareText, emptyAssignment, type GroupAssignment } from './assignor.ts';
import type { StickyInput, Transfers } from './sticky.ts';

export function assignEqual(input: StickyInput): { assignment: GroupAssignment; transfers: Transfers } {
  return new EqualAssignment(input).run();
}

class EqualAssignment {
  readonly #input: StickyInput;
  readonly #assignment: GroupAssignment;
  readonly #transfers: Transfers = new Map();
  readonly #kept = new Set<string>();
  readonly #taken = new Set<string>();
  /** The lowest and the highest number of partitions of a member. */
  readonly #least: number;
  readonly #most: number;
  /** How many members get one partition more than the lowest number, and how many have it already. */
  readonly #expectedWithMost: number;
  #withMost = 0;
  readonly #belowLeast: string[] = [];
  #atLeast: string[] = [];

  constructor(input: StickyInput) {
    this.#input = input;
    this.#assignment = emptyAssignment(input.members);
    let total = 0;
    for (const count of input.partitionCounts.values()) total += count;
    this.#least = Math.floor(total / input.members.length);
    this.#most = Math.ceil(total / input.members.length);
    this.#expectedWithMost = total % input.members.length;
  }

  run(): { assignment: GroupAssignment; transfers: Transfers } {
    for (const { id } of this.#input.members) this.#keep(id);
    this.#deal(this.#unassigned());
    return { assignment: this.#assignment, transfers: this.#transfers };
  }

  #keep(id: string): void {
    const owned = this.#input.owned
      .get(id)!
      .filter(({ topic, partition }) => partition < this.#input.partitionCounts.get(topic)!)
      .sort((a, b) => a.partition - b.partition || compareText(a.topic, b.topic));
    let kept: TopicPartition[];
    if (owned.length < this.#least) {
      kept = owned;
      this.#belowLeast.push(id);
    } else if (owned.length >= this.#most && this.#withMost < this.#expectedWithMost) {
      this.#withMost++;
      if (this.#withMost === this.#expectedWithMost) this.#atLeast = [];
      kept = owned.slice(0, this.#most);
    } else {
      kept = owned.slice(0, this.#least);
      if (this.#withMost < this.#expectedWithMost) this.#atLeast.push(id);
    }
    append(this.#assignment.get(id)!, kept);
    for (const { topic, partition } of kept) this.#kept.add(keyOf(topic, partition));
    for (const { topic, partition } of owned.slice(kept.length)) this.#taken.add(keyOf(topic, partition));
  }

  #unassigned(): TopicPartition[] {
    const partitions: TopicPartition[] = [];
    for (const [topic, count] of [...this.#input.partitionCounts].sort(([a], [b]) => compareText(a, b))) {
      for (let partition = 0; partition < count; partition++)
        if (!this.#kept.has(keyOf(topic, partition))) partitions.push({ topic, partition });
    }
    return partitions;
  }

  /** Gives partitions in turn to members below the lowest number, in the order of their ids. Then each member gets one more until none is left. */
  #deal(partitions: readonly TopicPartition[]): void {
    this.#belowLeast.sort(compareText);
    this.#atLeast.sort(compareText);
    let turn = 0;
    for (const place of partitions) {
      if (turn >= this.#belowLeast.length) turn = 0;
      const isBelow = this.#belowLeast.length > 0;
      const id = isBelow ? this.#belowLeast[turn]! : this.#atLeast.shift()!;
      const list = this.#assignment.get(id)!;
      list.push(place);
      const key = keyOf(place.topic, place.partition);
      if (this.#taken.has(key) || this.#input.disputed.has(key)) this.#transfers.set(key, id);
      if (!isBelow) continue;
      if (list.length === this.#least) {
        this.#belowLeast.splice(turn, 1);
        this.#atLeast.push(id);
      } else {
        turn++;
      }
    }
  }
}
