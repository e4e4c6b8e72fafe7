// Owns the assignors of KIP-848 groups, `uniform` and `range`. Runs in the broker's thread. Functions without side effects.

/** "topicId/partition". */
export type PartitionKey = string;

export interface AssignmentMember {
  readonly id: string;
  readonly instanceId: string | null;
  /** Ids of the topics it wants. */
  readonly topicIds: ReadonlySet<string>;
  /** What it got in the last assignment. */
  readonly current: ReadonlySet<PartitionKey>;
}

export interface AssignmentTopic {
  readonly id: string;
  readonly partitions: number;
}

export type Assignment = Map<string, Set<PartitionKey>>;

export type Assignor = (members: readonly AssignmentMember[], topics: readonly AssignmentTopic[]) => Assignment;

export const assignors: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', uniform],
  ['range', range],
]);

export const defaultAssignor = 'uniform';

export function partitionKey(topicId: string, index: number): PartitionKey {
  return `${topicId}/${index}`;
}

export function topicIdOf(key: PartitionKey): string {
  return key.slice(0, key.lastIndexOf('/'));
}

export function indexOf(key: PartitionKey): number {
  return Number(key.slice(key.lastIndexOf('/') + 1));
}

/** Counts of members with the same subscription differ by one at most. Members keep their partitions as far as possible. */
function uniform(members: readonly AssignmentMember[], topics: readonly AssignmentTopic[]): Assignment {
  const dealt: Assignment = new Map(members.map(({ id }) => [id, new Set()]));
  const free: PartitionKey[] = [];
  for (const key of keysOf(topics)) {
    const owner = members.find(({ current, topicIds }) => current.has(key) && topicIds.has(topicIdOf(key)));
    if (owner === undefined) free.push(key);
    else dealt.get(owner.id)!.add(key);
  }
  const load = (member: AssignmentMember): number => dealt.get(member.id)!.size;
  for (const key of free) {
    const takers = members.filter(({ topicIds }) => topicIds.has(topicIdOf(key)));
    if (takers.length === 0) continue;
    const least = takers.reduce((best, member) => (load(member) < load(best) ? member : best));
    dealt.get(least.id)!.add(key);
  }
  while (moveOne(members, dealt)) {
    // Until no move makes it more even.
  }
  return dealt;
}

/** From a member with at least two more than another that could take one. */
function moveOne(members: readonly AssignmentMember[], dealt: Assignment): boolean {
  const byLoad = [...members].sort((a, b) => dealt.get(b.id)!.size - dealt.get(a.id)!.size);
  for (const from of byLoad) {
    for (const to of byLoad.toReversed()) {
      if (dealt.get(from.id)!.size - dealt.get(to.id)!.size < 2) break;
      const key = [...dealt.get(from.id)!].findLast((each) => to.topicIds.has(topicIdOf(each)));
      if (key === undefined) continue;
      dealt.get(from.id)!.delete(key);
      dealt.get(to.id)!.add(key);
      return true;
    }
  }
  return false;
}

/** Each member gets consecutive partitions of each topic, in the order of instance ids or member ids. The first members get one more. */
function range(members: readonly AssignmentMember[], topics: readonly AssignmentTopic[]): Assignment {
  const dealt: Assignment = new Map(members.map(({ id }) => [id, new Set()]));
  const sorted = [...members].sort((a, b) => compare(a.instanceId ?? a.id, b.instanceId ?? b.id));
  for (const { id, partitions } of topics) {
    const takers = sorted.filter(({ topicIds }) => topicIds.has(id));
    let next = 0;
    takers.forEach((member, place) => {
      const count = Math.floor(partitions / takers.length) + (place < partitions % takers.length ? 1 : 0);
      for (let i = 0; i < count; i++) dealt.get(member.id)!.add(partitionKey(id, next++));
    });
  }
  return dealt;
}

function* keysOf(topics: readonly AssignmentTopic[]): Generator<PartitionKey> {
  for (const { id, partitions } of topics) {
    for (let index = 0; index < partitions; index++) yield partitionKey(id, index);
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
