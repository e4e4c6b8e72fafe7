// Administration calls about topics: which broker gets which request, what is repeated, and the outcome of each topic.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { KafkaConnectionError, UnsupportedVersionError } from '../../../../src/common/errors/errors.ts';
import { describeTopics } from '../../../../src/worker/admin/calls/describe-topics.ts';
import { createTopics, deleteTopics, listTopics } from '../../../../src/worker/admin/calls/topics.ts';
import { anyBroker } from '../../../../src/worker/client/broker-requests.ts';
import { type Asked, FakeHost, type Reply } from './fake-host.ts';

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
});

const controllerId = 2;
const metadata: Reply = { response: { controllerId, brokers: [{ nodeId: 1, host: 'a', port: 1 }], topics: [] } };

/** Metadata names the controller; everything else is answered by `reply`. */
function script(reply: (asked: Asked, number: number) => Reply): void {
  let number = 0;
  host.reply = (asked) => (asked.api === 'Metadata' ? metadata : reply(asked, number++));
}

const namesOf = (asked: Asked): string[] =>
  (asked.request as { topics: { name: string }[] }).topics.map(({ name }) => name);
const asks = (api: string): Asked[] => host.asked.filter((asked) => asked.api === api);

describe('createTopics', () => {
  test('asks the controller once for all topics, and gives each its own outcome', async () => {
    script(() => ({
      response: {
        topics: [
          { name: 'b', errorCode: 36, errorMessage: 'Topic already exists.' },
          { name: 'a', errorCode: 0, numPartitions: 3, replicationFactor: 1, configs: [] },
        ],
      },
    }));
    const results = await host.run(createTopics(host.call(), { topics: [{ name: 'a' }, { name: 'b' }] }));
    assert.deepEqual(
      asks('CreateTopics').map((asked) => [asked.brokerId, namesOf(asked)]),
      [[controllerId, ['a', 'b']]],
    );
    assert.deepEqual(
      results.map(([name, outcome]) => [name, outcome.ok]),
      [
        ['a', true],
        ['b', false],
      ],
    );
    const refused = results[1]![1];
    assert.ok(!refused.ok);
    assert.equal(refused.error.name, 'TopicAlreadyExistsError');
    assert.match(refused.error.message, /Topic already exists\./);
    assert.equal(refused.maybeApplied, false);
  });

  for (const [timeoutMs, toldMs] of [
    [60_000, 2700],
    [2000, 1800],
  ] as const)
    test(`gives the broker less time than it waits for one answer, so that it still answers (${timeoutMs} ms)`, async () => {
      script(() => ({ response: { topics: [{ name: 'a', errorCode: 0 }] } }));
      await host.run(createTopics(host.call(timeoutMs), { topics: [{ name: 'a' }] }));
      assert.deepEqual(
        asks('CreateTopics').map(({ request }) => (request as { timeoutMs: number }).timeoutMs),
        [toldMs],
      );
    });

  test('asks again only for topics with a retriable error, and looks for the controller again', async () => {
    script((_asked, number) => ({
      response: {
        topics:
          number === 0
            ? [
                { name: 'a', errorCode: 0 },
                { name: 'b', errorCode: 41 },
              ]
            : [{ name: 'b', errorCode: 0 }],
      },
    }));
    const results = await host.run(createTopics(host.call(), { topics: [{ name: 'a' }, { name: 'b' }] }));
    assert.deepEqual(asks('CreateTopics').map(namesOf), [['a', 'b'], ['b']]);
    assert.equal(asks('Metadata').length, 2);
    assert.ok(results.every(([, outcome]) => outcome.ok));
    const [first, second] = asks('CreateTopics');
    assert.ok(second!.atMs - first!.atMs >= 80, 'not before the backoff');
  });

  test('while no controller is known any broker is asked, never a node -1, and the controller is looked for again', async () => {
    let lookUps = 0;
    host.reply = ({ api, brokerId }) => {
      if (api === 'Metadata') return { response: { controllerId: lookUps++ < 2 ? -1 : controllerId, topics: [] } };
      const errorCode = brokerId === controllerId ? 0 : 41;
      return { response: { topics: [{ name: 'a', errorCode }] } };
    };
    const results = await host.run(createTopics(host.call(), { topics: [{ name: 'a' }] }));
    assert.deepEqual(
      asks('CreateTopics').map(({ brokerId }) => brokerId),
      [anyBroker, anyBroker, controllerId],
    );
    assert.equal(lookUps, 3);
    assert.ok(results[0]![1].ok);
    const [first, second, third] = asks('CreateTopics');
    assert.ok(second!.atMs - first!.atMs >= 80 && third!.atMs - second!.atMs >= 80, 'not before the backoff');
  });

  test('says that an earlier attempt may have been carried out', async () => {
    script((_asked, number) =>
      number === 0
        ? { error: new KafkaConnectionError('connection reset') }
        : { response: { topics: [{ name: 'a', errorCode: 36 }] } },
    );
    const results = await host.run(createTopics(host.call(), { topics: [{ name: 'a' }] }));
    const outcome = results[0]![1];
    assert.ok(!outcome.ok && outcome.maybeApplied);
  });

  test('says so too when a broker answered that its time was over: the controller may still make the topic', async () => {
    script((_asked, number) => ({ response: { topics: [{ name: 'a', errorCode: number === 0 ? 7 : 36 }] } }));
    const results = await host.run(createTopics(host.call(), { topics: [{ name: 'a' }] }));
    const outcome = results[0]![1];
    assert.ok(!outcome.ok && outcome.maybeApplied);
    assert.equal(outcome.error.name, 'TopicAlreadyExistsError');
  });

  test('waits for the throttle time of a quota, or fails at once if retryOnQuotaViolation is false', async () => {
    const throttled = { response: { throttleTimeMs: 700, topics: [{ name: 'a', errorCode: 89 }] } };
    script((_asked, number) => (number === 0 ? throttled : { response: { topics: [{ name: 'a', errorCode: 0 }] } }));
    const results = await host.run(createTopics(host.call(), { topics: [{ name: 'a' }] }));
    assert.ok(results[0]![1].ok);
    const [first, second] = asks('CreateTopics');
    assert.equal(second!.atMs - first!.atMs, 700);
    script(() => throttled);
    const refused = await host.run(
      createTopics(host.call(), { topics: [{ name: 'a' }], retryOnQuotaViolation: false }),
    );
    assert.equal(refused[0]![1].ok, false);
  });

  test('an item that is missing in the answer has an error of its own', async () => {
    script(() => ({ response: { topics: [{ name: 'a', errorCode: 0 }] } }));
    const results = await host.run(createTopics(host.call(), { topics: [{ name: 'a' }, { name: 'b' }] }));
    const missing = results[1]![1];
    assert.ok(!missing.ok);
    assert.equal(missing.error.name, 'KafkaProtocolError');
    assert.match(missing.error.message, /does not have this item/);
  });

  test('ends at its deadline, with the number of attempts and the last reason', async () => {
    script(() => ({ response: { topics: [{ name: 'a', errorCode: 41 }] } }));
    const results = await host.run(createTopics(host.call(2000), { topics: [{ name: 'a' }] }));
    const late = results[0]![1];
    assert.ok(!late.ok);
    assert.equal(late.error.name, 'KafkaTimeoutError');
    assert.match(
      late.error.message,
      /testCall did not finish within 2000 ms \(timeoutMs\), after \d+ attempts; the last/,
    );
    assert.equal(host.now, 3000);
  });

  test('only checks with validateOnly, and needs brokers with defaults if no counts are given', async () => {
    script(() => ({ response: { topics: [{ name: 'a', errorCode: 0 }] } }));
    await host.run(createTopics(host.call(), { topics: [{ name: 'a', partitions: 1 }], validateOnly: true }));
    assert.equal((asks('CreateTopics')[0]!.request as { validateOnly: boolean }).validateOnly, true);
  });

  test('waits for leaders with waitForLeaders', async () => {
    let isLed = false;
    host.reply = ({ api, request }) => {
      if (api !== 'Metadata') return { response: { topics: [{ name: 'a', errorCode: 0, numPartitions: 1 }] } };
      if ((request as { topics: unknown[] }).topics.length === 0) return metadata;
      const reply = { response: { topics: [{ name: 'a', errorCode: 0, partitions: [{ leaderId: isLed ? 1 : -1 }] }] } };
      isLed = true;
      return reply;
    };
    await host.run(createTopics(host.call(), { topics: [{ name: 'a' }], waitForLeaders: true }));
    assert.equal(asks('Metadata').length, 3);
  });

  test('a topic without a leader at the deadline was created, and its outcome says so; the others keep theirs', async () => {
    let metadataAsks = 0;
    host.reply = ({ api, request }) => {
      if (api !== 'Metadata') {
        const topics = ['a', 'b'].map((name) => ({ name, errorCode: 0, numPartitions: 1 }));
        return { response: { topics } };
      }
      if ((request as { topics: unknown[] }).topics.length === 0) return metadata;
      // A lost connection is no reason to give up.
      if (metadataAsks++ === 0) return { error: new KafkaConnectionError('connection reset') };
      const topics = namesOf({ request } as Asked).map((name) => ({
        name,
        partitions: [{ leaderId: name === 'a' ? 1 : -1 }],
      }));
      return { response: { topics } };
    };
    const args = { topics: [{ name: 'a' }, { name: 'b' }], waitForLeaders: true };
    const results = new Map(await host.run(createTopics(host.call(2000), args)));
    assert.equal(results.get('a')!.ok, true);
    const late = results.get('b')!;
    assert.ok(!late.ok && late.maybeApplied);
    assert.equal(late.error.name, 'KafkaTimeoutError');
  });
});

test("deleteTopics names topics in the form of the broker's version", async () => {
  let isOld = false;
  host.reply = ({ api }, { minVersion }) => {
    if (api === 'Metadata') return metadata;
    if (isOld && minVersion !== undefined) return { error: new UnsupportedVersionError('not known here') };
    return { response: { responses: [{ name: 'a', errorCode: 3 }] }, version: isOld ? 3 : 6 };
  };
  const results = await host.run(deleteTopics(host.call(), { topics: ['a'] }));
  // Of the controller, an unknown topic is final.
  assert.equal(asks('DeleteTopics').length, 1);
  assert.equal(results[0]![1].ok, false);
  isOld = true;
  await host.run(deleteTopics(host.call(), { topics: ['a'] }));
  const [newer, , older] = asks('DeleteTopics').map(({ request }) => request as Record<string, unknown>);
  assert.deepEqual([(newer!.topics as { name: string }[])[0]!.name, older!.topicNames], ['a', ['a']]);
});

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';

test('topics are deleted by id, also together with others by name', async () => {
  host.reply = ({ api }, { minVersion }) => {
    if (api === 'Metadata') return metadata;
    assert.equal(minVersion, 6);
    return {
      response: {
        responses: [
          { name: 'b', topicId, errorCode: 0 },
          { name: 'a', errorCode: 73 },
        ],
      },
    };
  };
  const results = await host.run(deleteTopics(host.call(), { topics: ['a', { topicId }] }));
  assert.deepEqual(
    results.map(([key, outcome]) => [key, outcome.ok]),
    [
      ['a', false],
      [{ topicId }, true],
    ],
  );
  assert.deepEqual(
    (asks('DeleteTopics')[0]!.request as { topics: object[] }).topics.map((topic) => ({ ...topic })),
    [
      { name: 'a', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' },
      { name: null, topicId },
    ],
  );
});

test('describeTopics reads page after page, and gives each topic all of its partitions', async () => {
  host.reply = ({ request }) => {
    const { cursor } = request as { cursor: { topicName: string; partitionIndex: number } | null };
    const elr = { eligibleLeaderReplicas: [3], lastKnownElr: [4] };
    if (cursor === null) {
      const topics = [
        { name: 'a', topicId, partitions: [{ partitionIndex: 0, leaderId: 1, ...elr }] },
        { name: 'b', partitions: [{ partitionIndex: 0, leaderId: 2 }] },
      ];
      return { response: { topics, nextCursor: { topicName: 'b', partitionIndex: 1 } } };
    }
    assert.deepEqual({ ...cursor }, { topicName: 'b', partitionIndex: 1 });
    const topics = [
      { name: 'b', partitions: [{ partitionIndex: 1, leaderId: 5, errorCode: 5 }] },
      { name: 'c', errorCode: 3 },
    ];
    return { response: { topics } };
  };
  const args = { topics: ['c', 'b', 'a'], includeAuthorizedOperations: false };
  const [c, b, a] = (await host.run(describeTopics(host.call(), args))).map(([, outcome]) => outcome);
  assert.deepEqual(host.asked.map(namesOf), [
    ['a', 'b', 'c'],
    ['b', 'c'],
  ]);
  assert.ok(c?.ok === false && b?.ok === true && a?.ok === true);
  assert.deepEqual(
    b.value.partitions.map(({ leader }) => leader),
    [2, 5],
  );
  assert.deepEqual([b.value.partitions[0]!.eligibleLeaderReplicas, b.value.authorizedOperations], [null, null]);
  const [first] = a.value.partitions;
  assert.deepEqual([first!.eligibleLeaderReplicas, first!.lastKnownEligibleLeaderReplicas], [[3], [4]]);
});

test('describeTopics ends with an error when the pages do not go on', async () => {
  host.reply = () => ({ response: { topics: [], nextCursor: { topicName: 'b', partitionIndex: 1 } } });
  const args = { topics: ['b'], includeAuthorizedOperations: false };
  const [, outcome] = (await host.run(describeTopics(host.call(), args)))[0]!;
  assert.ok(!outcome.ok);
  assert.equal(outcome.error.name, 'KafkaProtocolError');
  assert.match(outcome.error.message, /it must begin behind the last one, at b 1/);
});

test('describeTopics asks for topics by id, and brokers that are too old for ids still describe those by name', async () => {
  host.reply = ({ api }, { minVersion }) => {
    if (api !== 'Metadata') return { error: new UnsupportedVersionError('no pages here') };
    if (minVersion !== undefined) return { error: new UnsupportedVersionError('no ids here') };
    return { response: { topics: [{ name: 'a', partitions: [{ leaderId: 1 }] }] }, version: 9 };
  };
  const args = { topics: ['a', { topicId }], includeAuthorizedOperations: false };
  const old = await host.run(describeTopics(host.call(), args));
  assert.deepEqual(
    old.map(([, outcome]) => outcome.ok),
    [true, false],
  );
  host.reply = ({ api, request }) => {
    if (api !== 'Metadata') return { error: new UnsupportedVersionError('no pages here') };
    const [{ name }] = (request as { topics: { name: string | null }[] }).topics as [{ name: string | null }];
    return { response: { topics: [{ name: name ?? 'b', topicId: name === null ? topicId : undefined }] } };
  };
  const found = await host.run(describeTopics(host.call(), args));
  assert.deepEqual(
    found.map(([, outcome]) => outcome.ok && outcome.value.name),
    ['a', 'b'],
  );
});

test('listTopics leaves out internal topics unless they are requested', async () => {
  host.reply = () => ({
    response: {
      topics: [
        { name: 'b', partitions: [{}, {}] },
        { name: '__a', isInternal: true, partitions: [{}] },
      ],
    },
  });
  const listed = await host.run(listTopics(host.call(), { includeInternal: false }));
  assert.deepEqual(
    listed.map(({ name, partitions }) => [name, partitions]),
    [['b', 2]],
  );
  assert.equal((await host.run(listTopics(host.call(), { includeInternal: true }))).length, 2);
});

test('describeTopics never creates a topic, and names partitions in order', async () => {
  host.reply = ({ api, request }) => {
    if (api !== 'Metadata') return { error: new UnsupportedVersionError('no pages here') };
    assert.equal((request as { allowAutoTopicCreation: boolean }).allowAutoTopicCreation, false);
    const partitions = [
      { partitionIndex: 1, leaderId: 3 },
      { partitionIndex: 0, leaderId: -1 },
    ];
    return { response: { topics: [{ name: 'a', partitions, topicAuthorizedOperations: -2147483648 }] } };
  };
  const args = { topics: ['a'], includeAuthorizedOperations: false };
  const outcome = (await host.run(describeTopics(host.call(), args)))[0]![1];
  assert.ok(outcome.ok);
  assert.deepEqual(
    outcome.value.partitions.map(({ partition, leader }) => [partition, leader]),
    [
      [0, -1],
      [1, 3],
    ],
  );
  assert.equal(outcome.value.authorizedOperations, null);
});

test('a call that waits fails when the client is closed', async () => {
  host.isReady = () => false;
  const call = listTopics(host.call(), { includeInternal: false });
  host.role.close();
  await assert.rejects(call, { code: 'KAFKA_CANCELLED' });
});
