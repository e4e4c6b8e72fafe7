// Owns the assignors `sticky` and `cooperative-sticky`: which member had which partitions before, and which of two algorithms assigns
// the rest. Network thread.
// Source: KIP-54, KIP-341, KIP-429, KIP-792, KIP-881. Results are compared with those of Kafka's Java classes (test/fixtures/assignors.jsonl.gz).

import type { TopicPartition } from '../../../common/config/consumer-config.ts';
import { keyOf } from '../partition.ts';
import { type Assign, type AssignorMember, compareText, type GroupAssignment, type ReplicaRacks } from './assignor.ts';
import { hashOfText, inTableOrder } from './java-order.ts';
import { assignEqual } from './sticky-equal.ts';
import { assignGeneral } from './sticky-general.ts';
import { StickyRacks } from './sticky-racks.ts';

export interface Claim {
  readonly partitions: readonly TopicPartition[];
  /** -1 for unknown. */
  readonly generation: number;
}

/** The input of both algorithms. */
export interface StickyInput {
  readonly members: readonly AssignorMember[];
  readonly partitionCounts: ReadonlyMap<string, number>;
  /** The valid claims, by member id. */
  readonly owned: ReadonlyMap<string, TopicPartition[]>;
  /** The keys of partitions that two members of one generation claim. Neither of them has such a partition. */
  readonly disputed: ReadonlySet<string>;
  /** The claims of earlier generations. They decide between members that are otherwise equal. */
  readonly former: ReadonlyMap<string, { readonly member: string; readonly generation: number }>;
  readonly racks: StickyRacks;
}

/** The partitions that go from a present member to another one. The key is the partition, the value is the new member. */
export type Transfers = Map<string, string>;

const unknownGeneration = -1;

export const assignSticky: Assign = (members, partitionCounts, replicaRacks) =>
  assignWith(members, partitionCounts, claimInUserData, replicaRacks).assignment;

/** Partitions that another member still owns are left out. They are assigned after that member has released them and joined again. */
export const assignCooperativeSticky: Assign = (members, partitionCounts, replicaRacks) => {
  const { assignment, transfers } = assignWith(members, partitionCounts, claimInFields, replicaRacks);
  const moving = transfers ?? transfersOf(members, assignment);
  for (const [key, to] of moving) {
    const partitions = assignment.get(to)!;
    const at = partitions.findIndex(({ topic, partition }) => keyOf(topic, partition) === key);
    if (at >= 0) partitions.splice(at, 1);
  }
  return assignment;
};

function assignWith(
  members: readonly AssignorMember[],
  partitionCounts: ReadonlyMap<string, number>,
  claimOf: (member: AssignorMember) => Claim,
  replicaRacks: ReplicaRacks | undefined,
): { assignment: GroupAssignment; transfers: Transfers | null } {
  const ordered = inTableOrder(members, ({ id }) => hashOfText(id));
  const wanted = new Set(members.flatMap(({ topics }) => topics));
  const counts = new Map([...partitionCounts].filter(([topic]) => wanted.has(topic)));
  const racks = new StickyRacks(ordered, counts, replicaRacks);
  const input = prepare(ordered, counts, claimOf, racks);
  const [first] = ordered;
  const topics = new Set(first?.topics);
  const isEqual = ordered.every((member) => {
    const own = new Set(member.topics);
    return own.size === topics.size && member.topics.every((topic) => topics.has(topic));
  });
  if (isEqual) return assignEqual(input);
  return { assignment: assignGeneral(input), transfers: null };
}

function prepare(
  members: readonly AssignorMember[],
  partitionCounts: ReadonlyMap<string, number>,
  claimOf: (member: AssignorMember) => Claim,
  racks: StickyRacks,
): StickyInput {
  const owned = new Map<string, TopicPartition[]>();
  const ownerOf = new Map<string, { id: string; generation: number }>();
  const disputed = new Set<string>();
  const claims = new Map(members.map((member) => [member.id, claimOf(member)]));
  for (const { id } of members) {
    const { partitions, generation } = claims.get(id)!;
    const list: TopicPartition[] = [];
    owned.set(id, list);
    for (const partition of partitions) {
      if (!partitionCounts.has(partition.topic)) continue;
      const key = keyOf(partition.topic, partition.partition);
      const other = ownerOf.get(key);
      if (other === undefined || generation > other.generation) list.push(partition);
      if (other !== undefined) {
        if (generation >= other.generation) drop(owned.get(other.id)!, key);
        if (generation === other.generation) disputed.add(key);
        if (generation < other.generation) continue;
      }
      ownerOf.set(key, { id, generation });
    }
  }
  return { members, partitionCounts, owned, disputed, former: formerOwners(claims), racks };
}

function formerOwners(claims: ReadonlyMap<string, Claim>): StickyInput['former'] {
  let newest = unknownGeneration;
  for (const { generation } of claims.values()) newest = Math.max(newest, generation);
  const former = new Map<string, { member: string; generation: number }>();
  for (const [member, { partitions, generation }] of claims) {
    if (generation >= newest) continue;
    for (const { topic, partition } of partitions) {
      const key = keyOf(topic, partition);
      if (generation > (former.get(key)?.generation ?? Number.NEGATIVE_INFINITY))
        former.set(key, { member, generation });
    }
  }
  return former;
}

function drop(list: TopicPartition[], key: string): void {
  const at = list.findIndex(({ topic, partition }) => keyOf(topic, partition) === key);
  if (at >= 0) list.splice(at, 1);
}

function transfersOf(members: readonly AssignorMember[], assignment: GroupAssignment): Transfers {
  const added: Transfers = new Map();
  const taken = new Set<string>();
  for (const { id, owned } of members) {
    const had = new Set(owned.map(({ topic, partition }) => keyOf(topic, partition)));
    const has = new Set(assignment.get(id)!.map(({ topic, partition }) => keyOf(topic, partition)));
    for (const key of has) if (!had.has(key)) added.set(key, id);
    for (const key of had) if (!has.has(key)) taken.add(key);
  }
  for (const key of added.keys()) if (!taken.has(key)) added.delete(key);
  return added;
}

// --- claims of members

/** A member of the eager protocol has released everything when it joins. The assignor's own bytes say what it had. */
function claimInUserData({ userData }: AssignorMember): Claim {
  const nothing = { partitions: [], generation: unknownGeneration };
  return userData === null || userData.byteLength === 0 ? nothing : (readStickyUserData(userData) ?? nothing);
}

function claimInFields({ owned, generation, userData }: AssignorMember): Claim {
  if (generation >= 0) return { partitions: owned, generation };
  const said = userData === null || userData.byteLength < 4 ? unknownGeneration : viewOf(userData).getInt32(0);
  return { partitions: owned, generation: said };
}

/** Writes an array of topics with their partitions, then the generation. */
export function stickyUserData(owned: readonly TopicPartition[], generation: number): Uint8Array | null {
  if (generation < 0) return null;
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of owned) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  const parts: Buffer[] = [int32(topics.size)];
  for (const [topic, partitions] of [...topics].sort(([a], [b]) => compareText(a, b))) {
    const name = Buffer.from(topic);
    const length = Buffer.alloc(2);
    length.writeInt16BE(name.byteLength);
    parts.push(length, name, int32(partitions.length), ...partitions.map(int32));
  }
  return Buffer.concat([...parts, int32(generation)]);
}

/** Writes only the generation. The owned partitions are in the subscription. */
export function cooperativeUserData(_owned: readonly TopicPartition[], generation: number): Uint8Array | null {
  return int32(generation);
}

/** Null if the bytes cannot be read. Then the member counts as one that had no partitions. */
function readStickyUserData(bytes: Uint8Array): Claim | null {
  const view = viewOf(bytes);
  const partitions: TopicPartition[] = [];
  let at = 0;
  try {
    const topicCount = view.getInt32(at);
    at += 4;
    for (let i = 0; i < topicCount; i++) {
      const length = view.getInt16(at);
      const topic = Buffer.from(bytes.subarray(at + 2, at + 2 + length)).toString();
      at += 2 + length;
      const count = view.getInt32(at);
      at += 4;
      for (let j = 0; j < count; j++, at += 4) partitions.push({ topic, partition: view.getInt32(at) });
    }
    // The oldest form has no generation.
    const generation = at + 4 <= bytes.byteLength ? view.getInt32(at) : unknownGeneration;
    return { partitions, generation };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
