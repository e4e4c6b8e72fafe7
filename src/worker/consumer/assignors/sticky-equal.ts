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
  /** What members cannot keep, and who had it. */
  readonly #taken = new Map<string, string>();
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
    this.#belowLeast.sort(compareText);
    this.#atLeast.sort(compareText);
    this.#deal(this.#dealNear(this.#input.racks.sorted(this.#unassigned())));
    return { assignment: this.#assignment, transfers: this.#transfers };
  }

  #keep(id: string): void {
    const owned = this.#input.owned
      .get(id)!
      .filter(({ topic, partition }) => partition < this.#input.partitionCounts.get(topic)!)
      .filter((row) => {
        const isFar = this.#input.racks.isFar(id, row);
        if (isFar) this.#taken.set(keyOf(row.topic, row.partition), id);
        return !isFar;
      })
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
    for (const { topic, partition } of owned.slice(kept.length)) this.#taken.set(keyOf(topic, partition), id);
  }

  #unassigned(): TopicPartition[] {
    const partitions: TopicPartition[] = [];
    for (const [topic, count] of [...this.#input.partitionCounts].sort(([a], [b]) => compareText(a, b))) {
      for (let partition = 0; partition < count; partition++)
        if (!this.#kept.has(keyOf(topic, partition))) partitions.push({ topic, partition });
    }
    return partitions;
  }

  /** Gives partitions to members in their racks, in turn. Returns those for which there is none. */
  #dealNear(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
    const { racks } = this.#input;
    if (!racks.isUsed) return partitions;
    const far: TopicPartition[] = [];
    let turn = 0;
    for (const place of partitions) {
      const below = this.#nextNear(this.#belowLeast, place, turn);
      if (below >= 0) {
        const id = this.#belowLeast[below]!;
        const { length } = this.#give(id, place);
        turn = below + 1;
        if (length >= this.#least) {
          this.#belowLeast.splice(below, 1);
          if (length < this.#most && this.#withMost < this.#expectedWithMost) this.#atLeast.push(id);
          turn = below;
        }
        if (turn >= this.#belowLeast.length) turn = 0;
        continue;
      }
      const at = this.#nextNear(this.#atLeast, place, 0);
      if (at < 0) {
        far.push(place);
        continue;
      }
      const { length } = this.#give(this.#atLeast[at]!, place);
      if (length !== this.#most) continue;
      this.#atLeast.splice(at, 1);
      if (++this.#withMost === this.#expectedWithMost) this.#atLeast = [];
    }
    return far;
  }

  /** The index of the next member with a replica in its rack. -1 for none. */
  #nextNear(ids: readonly string[], place: TopicPartition, from: number): number {
    for (let i = 0; i < ids.length; i++) {
      const at = (from + i) % ids.length;
      if (this.#input.racks.isNear(ids[at]!, place)) return at;
    }
    return -1;
  }

  /** Returns what the member has now. */
  #give(id: string, place: TopicPartition): readonly TopicPartition[] {
    const list = this.#assignment.get(id)!;
    list.push(place);
    const key = keyOf(place.topic, place.partition);
    const before = this.#taken.get(key) ?? id;
    if (before !== id || this.#input.disputed.has(key)) this.#transfers.set(key, id);
    return list;
  }

  /** Gives partitions in turn to members below the lowest number, in the order of their ids. Then each member gets one more until none is left. */
  #deal(partitions: readonly TopicPartition[]): void {
    let turn = 0;
    for (const place of partitions) {
      if (turn >= this.#belowLeast.length) turn = 0;
      const isBelow = this.#belowLeast.length > 0;
      const id = isBelow ? this.#belowLeast[turn]! : this.#atLeast.shift()!;
      const { length } = this.#give(id, place);
      if (!isBelow) continue;
      if (length === this.#least) {
        this.#belowLeast.splice(turn, 1);
        this.#atLeast.push(id);
      } else {
        turn++;
      }
    }
  }
}
