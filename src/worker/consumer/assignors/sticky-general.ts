// Owns the sticky assignment of a group whose members have different topics. Partitions go first to the member with the fewest. Then
// partitions are moved while that makes the counts more even. Network thread.

import type { TopicPartition } from '../../../common/config/consumer-config.ts';
import { keyOf } from '../partition.ts';
import { compareText, type GroupAssignment } from './assignor.ts';
import { PartitionMoves } from './partition-moves.ts';
import type { StickyInput } from './sticky.ts';

export function assignGeneral(input: StickyInput): GroupAssignment {
  return new GeneralAssignment(input).run();
}

interface Row extends TopicPartition {
  readonly key: string;
}

class GeneralAssignment {
  readonly #input: StickyInput;
  /** The existing topics of each member, and the members of each topic. */
  readonly #topicsOf = new Map<string, ReadonlySet<string>>();
  readonly #membersOf = new Map<string, string[]>();
  #current = new Map<string, Row[]>();
  #ownerOf = new Map<string, string>();
  readonly #moves = new PartitionMoves();
  /** All partitions. Those with the fewest interested members come first. */
  #partitions: Row[] = [];
  /** The members that may give or get partitions, in the order of their counts. */
  #sorted: string[] = [];
  #mustRevoke = false;

  constructor(input: StickyInput) {
    this.#input = input;
    for (const topic of input.partitionCounts.keys()) this.#membersOf.set(topic, []);
    for (const { id, topics } of input.members) {
      const existing = topics.filter((topic) => this.#membersOf.has(topic));
      this.#topicsOf.set(id, new Set(existing));
      for (const topic of new Set(existing)) this.#membersOf.get(topic)!.push(id);
      this.#current.set(id, []);
    }
    const topics = [...this.#membersOf].sort(([a, x], [b, y]) => x.length - y.length || compareText(a, b));
    for (const [topic] of topics)
      for (let partition = 0; partition < input.partitionCounts.get(topic)!; partition++)
        this.#partitions.push({ topic, partition, key: keyOf(topic, partition) });
  }

  run(): GroupAssignment {
    this.#keepOwned();
    const unassigned = this.#partitions.filter(({ key }) => !this.#ownerOf.has(key));
    this.#sorted = [...this.#current.keys()];
    this.#sort();
    this.#balance(unassigned);
    return new Map(
      [...this.#current].map(([id, rows]) => [id, rows.map(({ topic, partition }) => ({ topic, partition }))]),
    );
  }

  #keepOwned(): void {
    for (const [id, owned] of this.#input.owned) {
      for (const { topic, partition } of owned) {
        if (!this.#topicsOf.get(id)!.has(topic) || this.#input.racks.isFar(id, { topic, partition })) {
          this.#mustRevoke = true;
          continue;
        }
        if (partition >= this.#input.partitionCounts.get(topic)!) continue;
        const row = { topic, partition, key: keyOf(topic, partition) };
        this.#current.get(id)!.push(row);
        this.#ownerOf.set(row.key, id);
      }
    }
  }

  #balance(unassigned: readonly Row[]): void {
    const isFresh = this.#count(this.#sorted.at(-1)!) === 0;
    const { racks } = this.#input;
    const far = racks.isUsed ? unassigned.filter((row) => !this.#give(row, (id) => !racks.isFar(id, row))) : unassigned;
    for (const row of far) this.#give(row, () => true);
    const isMovable = ({ topic }: TopicPartition): boolean => this.#membersOf.get(topic)!.length >= 2;
    this.#partitions = this.#partitions.filter(isMovable);
    const fixed = new Map<string, Row[]>();
    for (const id of [...this.#topicsOf.keys()]) {
      if (this.#takesPart(id, isMovable)) continue;
      fixed.set(id, this.#current.get(id)!);
      this.#current.delete(id);
      this.#sorted = this.#sorted.filter((one) => one !== id);
    }
    this.#improve(unassigned.filter(isMovable), isFresh);
    for (const [id, rows] of fixed) this.#current.set(id, rows);
  }

  /** Gives the partition to the member with the fewest that may have it. Returns whether there is one. */
  #give(row: Row, mayHave: (id: string) => boolean): boolean {
    const id = this.#sorted.find((one) => this.#topicsOf.get(one)!.has(row.topic) && mayHave(one));
    if (id === undefined) return false;
    this.#current.get(id)!.push(row);
    this.#ownerOf.set(row.key, id);
    this.#sort();
    return true;
  }

  #improve(unassigned: readonly Row[], isFresh: boolean): void {
    const before = new Map([...this.#current].map(([id, rows]) => [id, [...rows]]));
    const ownersBefore = new Map(this.#ownerOf);
    // New partitions can be moved without taking a partition from a member.
    if (!this.#mustRevoke) this.#reassign(unassigned);
    const hasMoved = this.#reassign(this.#partitions);
    if (isFresh || !hasMoved || unevenness(this.#current) < unevenness(before)) return;
    this.#current = before;
    this.#ownerOf = ownersBefore;
  }

  /** Whether a member could get more partitions, or has partitions that another member could have. */
  #takesPart(id: string, isMovable: (row: TopicPartition) => boolean): boolean {
    return this.#count(id) < this.#mostOf(id) || this.#current.get(id)!.some(isMovable);
  }

  #mostOf(id: string): number {
    let most = 0;
    for (const topic of this.#topicsOf.get(id)!) most += this.#input.partitionCounts.get(topic)!;
    return most;
  }

  /** Moves partitions while that makes the counts more even. Returns whether it moved any. */
  #reassign(rows: readonly Row[]): boolean {
    let hasMoved = false;
    for (let isModified = true; isModified; ) {
      isModified = false;
      for (const row of rows) {
        if (this.#isBalanced()) break;
        if (!this.#reassignOne(row)) continue;
        isModified = true;
        hasMoved = true;
      }
    }
    return hasMoved;
  }

  #reassignOne(row: Row): boolean {
    const owner = this.#ownerOf.get(row.key)!;
    const former = this.#input.former.get(row.key)?.member;
    if (former !== undefined && this.#current.has(former) && this.#count(owner) > this.#count(former) + 1) {
      this.#move(row, former);
      return true;
    }
    const others = this.#membersOf.get(row.topic)!;
    if (!others.some((other) => this.#current.has(other) && this.#count(owner) > this.#count(other) + 1)) return false;
    this.#move(row, this.#sorted.find((id) => this.#topicsOf.get(id)!.has(row.topic))!);
    return true;
  }

  #move(wanted: Row, to: string): void {
    const key = this.#moves.keyToMove(wanted, this.#ownerOf.get(wanted.key)!, to);
    const from = this.#ownerOf.get(key)!;
    const list = this.#current.get(from)!;
    const at = list.findIndex((row) => row.key === key);
    const [row] = list.splice(at, 1);
    this.#moves.moved(row!, from, to);
    this.#current.get(to)!.push(row!);
    this.#ownerOf.set(key, to);
    this.#sort();
  }

  #isBalanced(): boolean {
    const least = this.#sorted[0];
    const most = this.#sorted.at(-1);
    if (least === undefined || most === undefined || this.#count(least) >= this.#count(most) - 1) return true;
    for (const id of this.#sorted) {
      const count = this.#count(id);
      if (count === this.#mostOf(id)) continue;
      for (const topic of this.#topicsOf.get(id)!) {
        for (let partition = 0; partition < this.#input.partitionCounts.get(topic)!; partition++) {
          const owner = this.#ownerOf.get(keyOf(topic, partition));
          if (owner === undefined || owner === id || !this.#current.has(owner)) continue;
          if (count + 1 < this.#count(owner)) return false;
        }
      }
    }
    return true;
  }

  #count(id: string): number {
    return this.#current.get(id)!.length;
  }

  #sort(): void {
    this.#sorted.sort((a, b) => this.#count(a) - this.#count(b) || compareText(a, b));
  }
}

/** The sum of the differences between all counts. */
function unevenness(assignment: ReadonlyMap<string, readonly unknown[]>): number {
  const counts = [...assignment.values()].map(({ length }) => length);
  let sum = 0;
  for (let i = 0; i < counts.length; i++)
    for (let j = i + 1; j < counts.length; j++) sum += Math.abs(counts[i]! - counts[j]!);
  return sum;
}
