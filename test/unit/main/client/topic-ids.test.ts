import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withTopicIds } from '../../../../src/main/client/topic-ids.ts';
import { Fetch, ListGroups, OffsetCommit, OffsetFetch, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../../../src/protocol/flat/uuid.ts';

const idA = 'AAAAAAAAAAAAAAAAAAAAAQ';
const idB = 'AAAAAAAAAAAAAAAAAAAAAg';
const idOf = (name: string): string | null => (name === 'a' ? idA : null);

test('a topic without id gets its id in every API that has a version with ids instead of names', () => {
  const cases: readonly (readonly [number, object, object])[] = [
    [Produce.key, { acks: 1, topicData: [{ name: 'a' }] }, { acks: 1, topicData: [{ name: 'a', topicId: idA }] }],
    [
      Fetch.key,
      { topics: [{ topic: 'a' }], forgottenTopicsData: [{ topic: 'a', partitions: [1] }] },
      { topics: [{ topic: 'a', topicId: idA }], forgottenTopicsData: [{ topic: 'a', partitions: [1], topicId: idA }] },
    ],
    [OffsetCommit.key, { topics: [{ name: 'a' }] }, { topics: [{ name: 'a', topicId: idA }] }],
    [
      OffsetFetch.key,
      {
        groups: [
          { groupId: 'g', topics: [{ name: 'a' }] },
          { groupId: 'h', topics: null },
        ],
      },
      {
        groups: [
          { groupId: 'g', topics: [{ name: 'a', topicId: idA }] },
          { groupId: 'h', topics: null },
        ],
      },
    ],
  ];
  for (const [apiKey, request, expected] of cases) {
    const before = structuredClone(request);
    assert.deepEqual(withTopicIds(apiKey, request, idOf), expected);
    assert.deepEqual(request, before, 'what the application passed stays as it is');
  }
});

test('an id of zeros counts as no id; a given id, an unknown topic and values that are not requests stay unchanged', () => {
  const zero = { topicData: [{ name: 'a', topicId: zeroUuid }] };
  assert.deepEqual(withTopicIds(Produce.key, zero, idOf), { topicData: [{ name: 'a', topicId: idA }] });
  for (const request of [
    { topicData: [{ name: 'a', topicId: idB }, { name: 'unknown' }, { topicId: idB }, null, 7] },
    { topicData: 'nonsense' },
    { topicData: [] },
    {},
    null,
    undefined,
    7,
  ]) {
    assert.equal(withTopicIds(Produce.key, request, idOf), request);
  }
  const other = { topics: [{ name: 'a' }] };
  assert.equal(withTopicIds(ListGroups.key, other, idOf), other);
});
