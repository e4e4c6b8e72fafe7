// A process that is stopped (SIGSTOP) and goes on: what came meanwhile counts as if it had been read when it came. What had no answer ends
// once, with a typed error. Members stay in their groups, or join again if their sessions have ended meanwhile. POSIX only.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ConsumerGroupDescribe,
  ConsumerGroupHeartbeat,
  type ConsumerOptions,
  Heartbeat,
  JoinGroup,
  KafkaClient,
  type KafkaClientOptions,
  Metadata,
  Produce,
  type ProducerOptions,
} from '../../src/index.ts';
import { type Child, startChild } from '../broker/support/child.ts';
import type { Cleanup } from '../broker/support/client.ts';
import type { StoppedArguments, Told } from '../broker/support/scripts/stopped.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { readValues } from '../helpers/read-log.ts';
import { waitFor } from '../helpers/wait-for.ts';

const skip = process.platform === 'win32' && 'Windows stops no process';
const limitMs = 1500;
/** A stop of this length is noticed by everybody who has had a limit since before. */
const stopMs = limitMs + 400;
const sessionMs = 45_000;
const heartbeatMs = 200;
/** No limit of anything but what is tried. */
const longMs = 60_000;
const groupIds = ['classic', 'consumer'] as const;
const topics = ['expiring', 'kept', 'plain'] as const;
const ten = Array.from({ length: 10 }, (_, i) => `${i}`);

class Scene {
  readonly broker: EmbeddedBroker;
  readonly child: Child;

  private constructor(broker: EmbeddedBroker, child: Child) {
    this.broker = broker;
    this.child = child;
  }

  /** Each topic has a node of its own, so that nothing waits behind another topic's requests. */
  static async start(t: Cleanup, what: Omit<StoppedArguments, 'options' | 'limitMs'>): Promise<Scene> {
    const broker = await startEmbeddedBroker({
      nodes: 1 + topics.length,
      autoCreateTopics: false,
      topics: {
        read: { assignments: [[0]] },
        ...Object.fromEntries(topics.map((topic) => [topic, { assignments: [[nodeOf(topic)]] }])),
      },
      groups: {
        consumerSessionTimeoutMs: sessionMs,
        consumerHeartbeatIntervalMs: heartbeatMs,
        consumerAssignmentIntervalMs: 0,
      },
    });
    t.after(() => broker.close());
    const options: KafkaClientOptions = {
      bootstrapServers: broker.bootstrapServers,
      requestTimeoutMs: limitMs,
      reconnectBackoffMs: 10,
      retryBackoffMs: 10,
      closeTimeoutMs: longMs,
      logLevel: 'silent',
    };
    const child = startChild(t, 'stopped', { ...what, options, limitMs } satisfies StoppedArguments);
    const scene = new Scene(broker, child);
    await scene.until('ready');
    return scene;
  }

  get told(): Told[] {
    const lines = this.child.stdout.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Told);
  }

  /** What has become of that: more than once if it has ended twice. */
  all(name: string): Told[] {
    return this.told.filter((told) => told.name === name);
  }

  outcomes(name: string): string[] {
    return this.all(name).map(({ outcome }) => outcome);
  }

  async until(name: string, count = 1): Promise<void> {
    await this.when(`${count} times ${name}`, () => this.outcomes(name).length >= count);
  }

  /** The same for any condition, unless the child has ended. */
  async when(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    await waitFor(what, async () => this.child.hasEnded || (await condition()));
    if (this.child.hasEnded) assert.fail(`it has ended: ${(await this.child.ended).stderr}`);
  }

  /** Everything is under way from now on. */
  async begin(): Promise<void> {
    this.child.tell('begin');
    await this.until('waiting');
  }

  /** Stops the child for so long, at least, and does `meanwhile`. */
  async stopped(lastsMs: number, meanwhile: () => Promise<unknown>): Promise<void> {
    await this.child.stop();
    const stoppedAt = performance.now();
    await meanwhile();
    await waitFor('the stop to last', () => performance.now() - stoppedAt > lastsMs);
    this.child.signal('SIGCONT');
  }

  /** The child ends in order, and there is nothing that it does not know of an error. */
  async end(): Promise<void> {
    this.child.tell('end');
    const { exitCode, stderr } = await this.child.ended;
    assert.equal(stderr, '');
    assert.equal(exitCode, 0);
    assert.deepEqual(
      this.told.filter(({ outcome }) => outcome.startsWith('untyped')),
      [],
    );
  }

  async appendToRead(values: readonly string[]): Promise<void> {
    await this.broker.append(
      'read',
      0,
      values.map((value) => ({ value })),
    );
  }

  async untilRead(values: readonly string[]): Promise<void> {
    for (const groupId of groupIds) {
      await this.when(`${groupId} to read`, () => values.every((value) => this.outcomes(groupId).includes(value)));
      const committed = (): Promise<number | null> => this.broker.committedOffset(groupId, 'read', 0);
      await this.when(`${groupId} to commit`, async () => (await committed()) === values.length);
    }
  }

  members(): Promise<{ memberId: string; epoch: number }[]> {
    return Promise.all(
      groupIds.map(async (groupId) => {
        const { members } = (await this.broker.describeGroup(groupId))!;
        assert.equal(members.length, 1, groupId);
        return { memberId: members[0]!.memberId, epoch: members[0]!.epoch };
      }),
    );
  }

  async requests(api: { readonly key: number }, nodeId?: number): Promise<number> {
    const { requests, requestsByNode } = await this.broker.stats();
    return (nodeId === undefined ? requests : requestsByNode[nodeId])?.[api.key] ?? 0;
  }

  /** Whatever became of records: none is there twice, none of those that must not be there is, and they are in the order of their sends. */
  async checkLogs(): Promise<void> {
    const client = await KafkaClient.start({ ...patient, bootstrapServers: this.broker.bootstrapServers });
    try {
      for (const topic of topics) {
        const values = (await readValues(client, topic)).map(String);
        assert.equal(new Set(values).size, values.length, `twice in ${topic}: ${values.join(', ')}`);
        const order = ['first', 'flying', 'buffered 0', 'buffered 1'];
        for (const value of values) if (!order.includes(value)) order.push(value);
        assert.deepEqual(
          values,
          order.filter((value) => values.includes(value)),
          `order in ${topic}`,
        );
        for (const { name, outcome, maybeWritten } of this.told) {
          const value = name.startsWith(`${topic} `) ? name.slice(topic.length + 1) : 'flush';
          if (value === 'flush' || maybeWritten === true) continue;
          assert.equal(values.includes(value), outcome === 'ok', `${name}: ${outcome}`);
        }
      }
    } finally {
      await client.close();
    }
  }
}

function nodeOf(topic: (typeof topics)[number]): number {
  return 1 + topics.indexOf(topic);
}

function groups(): StoppedArguments['groups'] {
  const options: ConsumerOptions = { commit: { everyMs: 20 }, fetchMaxWaitMs: limitMs / 2 };
  return [
    {
      groupId: 'classic',
      options: {
        ...options,
        groupProtocol: 'classic',
        sessionTimeoutMs: sessionMs,
        heartbeatIntervalMs: heartbeatMs,
      },
    },
    { groupId: 'consumer', options: { ...options, groupProtocol: 'consumer' } },
  ];
}

/** Records of `expiring` have no more time than the stop lasts. Those of `plain` have no sequence numbers. */
function producers(plain: ProducerOptions = {}): StoppedArguments['producers'] {
  const times = { requestTimeoutMs: limitMs, lingerMs: 0, retryBackoffMs: 10, maxInFlightRequestsPerConnection: 1 };
  return [
    { topic: 'expiring', options: { ...times, deliveryTimeoutMs: limitMs }, buffered: 2 },
    { topic: 'kept', options: { ...times, deliveryTimeoutMs: longMs }, buffered: 2 },
    {
      topic: 'plain',
      options: { ...times, deliveryTimeoutMs: longMs, enableIdempotence: false, ...plain },
      buffered: 0,
    },
  ];
}

describe('a process that was stopped', { concurrency: 3, skip }, () => {
  test('has the answers that came meanwhile, and its members stay', { timeout: 300_000 }, async (t) => {
    const scene = await Scene.start(t, { nodes: [0, 1, 2, 3], producers: producers(), groups: groups() });
    const { broker } = scene;
    await scene.appendToRead(ten.slice(0, 5));
    await scene.untilRead(ten.slice(0, 5));
    const members = await scene.members();
    const joins = await scene.requests(JoinGroup);
    const { acceptedConnections } = await broker.stats();

    for (const topic of topics)
      await broker.control(Produce, { holdAnswerUntil: 'answers' }, { nodeId: nodeOf(topic), times: 1 });
    await broker.control(ConsumerGroupDescribe, { holdAnswerUntil: 'answers' }, { times: 1 });
    await broker.control(Metadata, { holdUntil: 'metadata' }, { times: 1 });
    await scene.begin();
    await broker.waitForHeld('answers', topics.length + 1);
    await broker.waitForHeld('metadata');
    await scene.stopped(stopMs, async () => {
      // The topic that is awaited, and records for the long polls.
      await broker.createTopic('later');
      await scene.appendToRead(ten.slice(5));
      await broker.release('metadata');
      await broker.release('answers');
    });

    await scene.untilRead(ten);
    const beats = await Promise.all([Heartbeat, ConsumerGroupHeartbeat].map((api) => scene.requests(api)));
    for (const [i, api] of [Heartbeat, ConsumerGroupHeartbeat].entries())
      await scene.when('further heartbeats', async () => (await scene.requests(api)) > beats[i]! + 1);
    assert.deepEqual(await scene.members(), members);
    assert.equal(await scene.requests(JoinGroup), joins);
    await scene.end();

    const succeeded = [
      'request',
      'awaitTopic',
      'poll',
      'poll for it',
      'plain flush',
      ...topics.map((topic) => `${topic} flying`),
    ];
    for (const name of [...succeeded, 'kept buffered 0', 'kept buffered 1'])
      assert.deepEqual(scene.outcomes(name), ['ok'], name);
    // Their time was over before they were sent.
    for (const name of ['expiring buffered 0', 'expiring buffered 1'])
      assert.deepEqual(scene.all(name), [{ name, outcome: 'KAFKA_DELIVERY_TIMEOUT', maybeWritten: false }]);
    // Whatever they flush is settled then, or a little later.
    for (const name of ['expiring flush', 'kept flush'])
      assert.match(scene.outcomes(name).join(), /^(ok|KAFKA_TIMEOUT)$/, name);
    for (const groupId of groupIds) {
      assert.deepEqual(scene.outcomes(groupId), ten);
      assert.deepEqual(scene.outcomes(`${groupId} error`), []);
    }
    assert.equal((await broker.stats()).acceptedConnections, acceptedConnections, 'no connection was lost');
    assert.equal(await scene.requests(Produce, nodeOf('plain')), 3, 'nothing was sent again');
    await scene.checkLogs();
  });

  test('ends once, with its reason, what had no answer, and goes on', { timeout: 300_000 }, async (t) => {
    const scene = await Scene.start(t, { nodes: [3, 2, 1, 0], producers: producers({ retries: 0 }), groups: [] });
    const { broker } = scene;
    for (const topic of topics)
      await broker.control(Produce, { holdAnswerUntil: 'the end' }, { nodeId: nodeOf(topic), times: 1 });
    await broker.control(ConsumerGroupDescribe, { holdAnswerUntil: 'the end' }, { times: 1 });
    await scene.begin();
    await broker.waitForHeld('the end', topics.length + 1);
    await scene.stopped(limitMs + 200, async () => {});
    await scene.end();

    assert.deepEqual(scene.outcomes('request'), ['KAFKA_REQUEST_TIMED_OUT']);
    assert.deepEqual(scene.outcomes('poll'), ['ok']);
    for (const name of ['awaitTopic', ...topics.map((topic) => `${topic} flush`)])
      assert.match(scene.outcomes(name).join(), /^(ok|KAFKA_[A-Z_]+)$/, name);
    for (const [name, outcome, maybeWritten] of [
      ['expiring flying', 'KAFKA_DELIVERY_TIMEOUT', true],
      ['expiring buffered 0', 'KAFKA_DELIVERY_TIMEOUT', false],
      ['expiring buffered 1', 'KAFKA_DELIVERY_TIMEOUT', false],
      // Without a number, nobody knows whether it may be sent again.
      ['plain flying', 'KAFKA_REQUEST_TIMED_OUT', true],
    ] as const)
      assert.deepEqual(scene.all(name), [{ name, outcome, maybeWritten }]);
    // It was written, and sent again with the same number.
    for (const name of ['kept flying', 'kept buffered 0', 'kept buffered 1'])
      assert.deepEqual(scene.outcomes(name), ['ok'], name);
    await scene.checkLogs();
  });

  test('joins the groups again in which its sessions have ended, and reads on from its commits', {
    timeout: 300_000,
  }, async (t) => {
    const scene = await Scene.start(t, { nodes: [], producers: [], groups: groups() });
    const { broker } = scene;
    await scene.appendToRead(ten.slice(0, 5));
    await scene.untilRead(ten.slice(0, 5));
    const members = await scene.members();
    await scene.begin();
    await scene.stopped(0, async () => {
      await scene.appendToRead(ten.slice(5));
      await broker.advanceTime(sessionMs + 1000);
      for (const groupId of groupIds) assert.deepEqual((await broker.describeGroup(groupId))?.members, [], groupId);
    });
    for (const groupId of groupIds) await scene.until(`${groupId} lost`);
    await scene.untilRead(ten);
    const again = await scene.members();
    assert.notEqual(again[0]!.memberId, members[0]!.memberId);
    await scene.end();
    for (const groupId of groupIds) {
      // What it had read before it knew comes once more, from the commit on.
      assert.match(scene.outcomes(groupId).join(''), /^01234(5(6(7(89?)?)?)?)?56789$|^0123456789$/, groupId);
      assert.equal(scene.outcomes(`${groupId} lost`).length, 1, groupId);
    }
  });
});
