// The assignors of the classic protocol: their results are those of Kafka's Java classes (test/fixtures/assignors.jsonl.gz, made
// by scripts/assignor-vectors.sh), for groups over several generations with members that come, go and claim too much.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { projectFolder } from '../../../../scripts/project.ts';
import type { AssignorName } from '../../../../src/common/config/consumer-config.ts';
import type { AssignorMember } from '../../../../src/worker/consumer/assignors/assignor.ts';
import { assignors } from '../../../../src/worker/consumer/assignors/index.ts';

interface Vector {
  readonly assignor: AssignorName;
  readonly partitions: Record<string, number>;
  readonly members: readonly {
    readonly id: string;
    readonly instanceId: string | null;
    readonly topics: readonly string[];
    readonly owned: readonly (readonly [string, number])[];
    readonly generation: number;
    readonly userData: string | null;
    readonly rackId?: string | null;
  }[];
  readonly expected: Record<string, readonly (readonly [string, number])[]>;
}

const lines = gunzipSync(readFileSync(join(projectFolder, 'test/fixtures/assignors.jsonl.gz')))
  .toString()
  .trim()
  .split('\n');
const vectors = lines.map((line) => JSON.parse(line) as Vector);

function membersOf(vector: Vector): AssignorMember[] {
  return vector.members.map(({ owned, userData, rackId = null, ...member }) => ({
    ...member,
    rackId,
    owned: owned.map(([topic, partition]) => ({ topic, partition })),
    userData: userData === null ? null : Buffer.from(userData, 'base64'),
  }));
}

const sorted = (partitions: readonly string[]): string[] => [...partitions].sort();

for (const [name, { assign, userData }] of Object.entries(assignors)) {
  describe(`assignor ${name}`, () => {
    const own = vectors.filter(({ assignor }) => assignor === name);

    it("assigns the same as Kafka's class", () => {
      assert.ok(own.length > 200, `${own.length} vectors`);
      const wrong: string[] = [];
      own.forEach((vector, i) => {
        const assignment = assign(membersOf(vector), new Map(Object.entries(vector.partitions)));
        const actual = [...assignment].map(([id, list]) => [
          id,
          sorted(list.map(({ topic, partition }) => `${topic}-${partition}`)),
        ]);
        const expected = Object.entries(vector.expected).map(([id, list]) => [
          id,
          sorted(list.map(([topic, partition]) => `${topic}-${partition}`)),
        ]);
        try {
          assert.deepEqual(Object.fromEntries(actual), Object.fromEntries(expected));
        } catch {
          wrong.push(`${i}: ${JSON.stringify(vector)} gave ${JSON.stringify(actual)}`);
        }
      });
      assert.equal(wrong.length, 0, `${wrong.length} of ${own.length} differ, such as ${wrong[0]}`);
    });

    it("writes the same subscription bytes as Kafka's class", () => {
      for (const vector of own) {
        membersOf(vector).forEach((member, i) => {
          const ours = userData(member.owned, member.generation);
          assert.equal(ours === null ? null : Buffer.from(ours).toString('base64'), vector.members[i]!.userData);
        });
      }
    });
  });
}

interface RackVector {
  /** Of each topic, of each partition: the racks of its replicas. */
  readonly partitions: Record<string, readonly (readonly string[])[]>;
  readonly members: readonly {
    readonly id: string;
    readonly rackId: string | null;
    readonly topics: readonly string[];
  }[];
  readonly expected: Record<string, readonly (readonly [string, number])[]>;
}

describe('assignor range with racks (KIP-881)', () => {
  const packed = readFileSync(join(projectFolder, 'test/fixtures/range-racks.jsonl.gz'));
  const all = gunzipSync(packed).toString().trim().split('\n');

  it("assigns what Kafka's class assigns, in the same order", () => {
    let different = 0;
    for (const line of all) {
      const { partitions, members, expected } = JSON.parse(line) as RackVector;
      const counts = new Map(Object.entries(partitions).map(([topic, rows]) => [topic, rows.length]));
      const nobody = { instanceId: null, owned: [], generation: -1, userData: null };
      const own = members.map((member) => ({ ...nobody, ...member }));
      const listsOf = (racks?: (topic: string, partition: number) => ReadonlySet<string>) =>
        Object.fromEntries(
          [...assignors.range.assign(own, counts, racks)].map(([id, list]) => [
            id,
            list.map(({ topic, partition }) => [topic, partition]),
          ]),
        );
      const actual = listsOf((topic, partition) => new Set(partitions[topic]![partition]));
      assert.deepEqual(actual, expected, line);
      if (JSON.stringify(actual) !== JSON.stringify(listsOf())) different++;
    }
    assert.ok(all.length >= 500 && different > 50, `${different} of ${all.length} differ from those without racks`);
  });
});

describe('the sticky assignors with racks (KIP-881)', () => {
  const packed = readFileSync(join(projectFolder, 'test/fixtures/sticky-racks.jsonl.gz'));
  const all = gunzipSync(packed).toString().trim().split('\n');
  type StickyRackVector = Omit<Vector, 'partitions'> & Pick<RackVector, 'partitions'>;

  for (const name of ['sticky', 'cooperative-sticky'] as const)
    it(`${name}: assigns what Kafka's class assigns when members and replicas have racks`, () => {
      let different = 0;
      const wrong: string[] = [];
      const own = all.map((line) => JSON.parse(line) as StickyRackVector).filter(({ assignor }) => assignor === name);
      for (const { partitions, ...vector } of own) {
        const counts = new Map(Object.entries(partitions).map(([topic, rows]) => [topic, rows.length]));
        const members = membersOf({ ...vector, partitions: Object.fromEntries(counts) });
        const textOf = (racks?: (topic: string, partition: number) => ReadonlySet<string>): string =>
          shownOf(
            [...assignors[name].assign(members, counts, racks)].map(([id, list]) => [
              id,
              list.map(({ topic, partition }) => [topic, partition] as const),
            ]),
          );
        const actual = textOf((topic, partition) => new Set(partitions[topic]![partition]));
        if (actual !== shownOf(Object.entries(vector.expected)))
          wrong.push(`${JSON.stringify({ partitions, ...vector })} gave ${actual}`);
        if (actual !== textOf()) different++;
      }
      assert.equal(wrong.length, 0, `${wrong.length} of ${own.length} differ, such as ${wrong[0]}`);
      assert.ok(own.length >= 300 && different > 50, `${different} of ${own.length} differ from those without racks`);
    });
});

function shownOf(assignment: readonly (readonly [string, readonly (readonly [string, number])[]])[]): string {
  const rows = assignment.map(
    ([id, list]) => `${id}: ${sorted(list.map(([topic, partition]) => `${topic}-${partition}`)).join()}`,
  );
  return rows.sort().join('\n');
}

describe('sticky assignors', () => {
  for (const name of ['sticky', 'cooperative-sticky'] as const) {
    it(`${name}: gives nothing to a member without subscription, although Kafka's class may`, () => {
      const member = (id: string, topics: readonly string[]): AssignorMember => {
        return { id, instanceId: null, topics, owned: [], generation: -1, rackId: null, userData: null };
      };
      for (let i = 0; i < 50; i++) {
        const members = [member(`idle-${i}`, []), member(`a-${i}`, ['t']), member(`b-${i}`, ['t'])];
        const assignment = assignors[name].assign(members, new Map([['t', 4]]));
        assert.deepEqual([...assignment].map(([id, list]) => [id, list.length]).sort(), [
          [`a-${i}`, 2],
          [`b-${i}`, 2],
          [`idle-${i}`, 0],
        ]);
      }
    });
  }
});
