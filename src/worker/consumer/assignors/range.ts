// Owns the assignor `range`: every member gets consecutive partitions of each topic; if racks are known, members get partitions with a
// replica in their rack first, as far as all get equally many. Network thread.
// Source: Kafka documentation, partition.assignment.strategy; KIP-881 (racks). Results are compared with those of Kafka's Java class.

import {
  type Assign,
  type AssignorMember,
  compareMembers,
  compareText,
  emptyAssignment,
  type GroupAssignment,
  type ReplicaRacks,
} from './assignor.ts';

const noRacks: ReplicaRacks = () => new Set();

export const assignRange: Assign = (members, partitionCounts, replicaRacks = noRacks) => {
  const assignment = emptyAssignment(members);
  const sorted = [...members].sort(compareMembers);
  const topics = [...partitionCounts]
    .sort(([a], [b]) => compareText(a, b))
    .map(([topic, count]) => new TopicRange(topic, count, sorted, replicaRacks, assignment))
    .filter(({ subscribed }) => subscribed.length > 0);
  const hasRacks = topics.some(({ usesRacks }) => usesRacks);
  if (hasRacks) for (const equal of byShape(topics)) matchRacks(equal);
  for (const topic of topics) topic.assignRest();
  if (hasRacks)
    for (const list of assignment.values())
      list.sort((a, b) => compareText(a.topic, b.topic) || a.partition - b.partition);
  return assignment;
};

/** Topics with the same members and equally many partitions: their partitions of one number stay together. */
function byShape(topics: readonly TopicRange[]): TopicRange[][] {
  const groups = new Map<string, TopicRange[]>();
  for (const topic of topics) {
    const shape = `${topic.count} ${topic.subscribed.map(({ id }) => id).join(' ')}`;
    groups.set(shape, [...(groups.get(shape) ?? []), topic]);
  }
  return [...groups.values()];
}

function matchRacks(topics: readonly TopicRange[]): void {
  const [first, ...others] = topics;
  if (first === undefined) return;
  if (others.length === 0) {
    if (first.usesRacks) first.assignMatching();
    return;
  }
  let open = first.subscribed;
  for (let partition = 0; partition < first.count; partition++) {
    const member = open.find((one) => topics.every((topic) => topic.room(one) > 0 && topic.isNear(one, partition)));
    if (member === undefined) continue;
    for (const topic of topics) topic.give(member, [partition]);
    if (topics.every((topic) => topic.room(member) === 0)) open = open.filter((one) => one !== member);
  }
}

/** The assignment of one topic. */
class TopicRange {
  readonly topic: string;
  readonly count: number;
  readonly subscribed: readonly AssignorMember[];
  /** Whether racks can make a difference. */
  readonly usesRacks: boolean;
  readonly #assignment: GroupAssignment;
  readonly #racks: readonly ReadonlySet<string>[];
  readonly #each: number;
  /** How many members may still get one partition more. */
  #extra: number;
  readonly #given = new Map<AssignorMember, number>();
  readonly #left: Set<number>;

  constructor(
    topic: string,
    count: number,
    sorted: readonly AssignorMember[],
    replicaRacks: ReplicaRacks,
    assignment: GroupAssignment,
  ) {
    this.topic = topic;
    this.count = count;
    this.subscribed = sorted.filter(({ topics }) => topics.includes(topic));
    this.#assignment = assignment;
    this.#each = Math.floor(count / this.subscribed.length);
    this.#extra = count % this.subscribed.length;
    this.#left = new Set(Array.from({ length: count }, (_, partition) => partition));
    const hasRacks = this.subscribed.some(({ rackId }) => rackId !== null);
    this.#racks = hasRacks ? [...this.#left].map((partition) => replicaRacks(topic, partition)) : [];
    const all = new Set(this.#racks.flatMap((racks) => [...racks]));
    const isMixed = this.#racks.some((racks) => racks.size !== all.size);
    this.usesRacks = isMixed && this.subscribed.some(({ rackId }) => rackId !== null && all.has(rackId));
  }

  /** How many more partitions the member may get. */
  room(member: AssignorMember): number {
    return Math.max(0, this.#each + (this.#extra > 0 ? 1 : 0) - (this.#given.get(member) ?? 0));
  }

  /** Whether a replica is in the member's rack. Every partition is near a member without a rack. */
  isNear({ rackId }: AssignorMember, partition: number): boolean {
    return rackId === null || this.#racks[partition]!.has(rackId);
  }

  assignMatching(): void {
    this.#assign((member, partition) => this.isNear(member, partition));
  }

  assignRest(): void {
    this.#assign(() => true);
  }

  give(member: AssignorMember, partitions: readonly number[]): void {
    const given = (this.#given.get(member) ?? 0) + partitions.length;
    this.#given.set(member, given);
    if (given > this.#each) this.#extra--;
    for (const partition of partitions) {
      this.#left.delete(partition);
      this.#assignment.get(member.id)!.push({ topic: this.topic, partition });
    }
  }

  #assign(mayGet: (member: AssignorMember, partition: number) => boolean): void {
    for (const member of this.subscribed) {
      const partitions = [...this.#left].filter((partition) => mayGet(member, partition)).slice(0, this.room(member));
      if (partitions.length > 0) this.give(member, partitions);
    }
  }
}
