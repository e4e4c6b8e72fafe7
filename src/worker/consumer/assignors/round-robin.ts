// Owns the assignor `roundrobin`: members get all partitions of all topics one by one, in turn. Network thread.
// Source: Kafka documentation, partition.assignment.strategy.

import { type Assign, compareMembers, compareText, emptyAssignment } from './assignor.ts';

export const assignRoundRobin: Assign = (members, partitionCounts) => {
  const assignment = emptyAssignment(members);
  const sorted = [...members].sort(compareMembers);
  const wanted = new Set(members.flatMap(({ topics }) => topics));
  let turn = 0;
  for (const [topic, count] of [...partitionCounts].sort(([a], [b]) => compareText(a, b))) {
    if (!wanted.has(topic)) continue;
    for (let partition = 0; partition < count; partition++) {
      while (!sorted[turn % sorted.length]!.topics.includes(topic)) turn++;
      assignment.get(sorted[turn % sorted.length]!.id)!.push({ topic, partition });
      turn++;
    }
  }
  return assignment;
};
