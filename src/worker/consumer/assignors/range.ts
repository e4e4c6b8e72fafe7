// Owns the assignor `range`: every member gets consecutive partitions of each topic. Network thread.
// Source: Kafka documentation, partition.assignment.strategy; KIP-881 for unknown racks.

import { type Assign, compareMembers, compareText, emptyAssignment } from './assignor.ts';

export const assignRange: Assign = (members, partitionCounts) => {
  const assignment = emptyAssignment(members);
  const sorted = [...members].sort(compareMembers);
  for (const [topic, count] of [...partitionCounts].sort(([a], [b]) => compareText(a, b))) {
    const subscribed = sorted.filter(({ topics }) => topics.includes(topic));
    if (subscribed.length === 0) continue;
    const each = Math.floor(count / subscribed.length);
    const withOneMore = count % subscribed.length;
    let next = 0;
    subscribed.forEach(({ id }, i) => {
      const end = next + each + (i < withOneMore ? 1 : 0);
      for (; next < end; next++) assignment.get(id)!.push({ topic, partition: next });
    });
  }
  return assignment;
};
