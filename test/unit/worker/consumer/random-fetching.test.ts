// A consumer's fetches under random events: brokers that answer in any order, late or not at all, seeks, leaders that move, time that
// passes. Each partition gets its records in order, none twice and none left out; a connection has one fetch at a time; the memory of
// every answer is given back. The message of a failing run has its seed; SEED=n repeats it.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import { Fetch, OffsetForLeaderEpoch } from '../../../../src/protocol/flat/generated/apis.ts';
import type { FetchRequest } from '../../../../src/protocol/flat/generated/fetch.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import type { BrokerRequest } from '../../../../src/worker/client/broker-requests.ts';
import { Random } from '../../ring/support/random.ts';
import { type ConsumerBench, idOf } from './support/consumer-bench.ts';
import { partitionOf, reading } from './support/reading-bench.ts';

const runs = Number(process.env.RUNS ?? 40);
const notLeader = 6;

/** What a broker remembers of one connection: the positions of its session. */
interface Session {
  readonly id: number;
  readonly offsets: Map<number, bigint>;
}

type Waiting = BrokerRequest<unknown, unknown>;

const placeOf = ({ to: { brokerId, lane } }: Waiting): string => `${brokerId} ${lane}`;

class Run {
  readonly #random: Random;
  readonly #bench: ConsumerBench;
  readonly #sessions = new Map<string, Session>();
  /** The offset of the next record of each partition. */
  readonly #next: bigint[];
  #lastSession = 100;
  #answers = 0;
  /** How many batches came, and how many fetches were given up by a seek. */
  batches = 0;
  givenUp = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#next = new Array<bigint>(1 + this.#random.below(3)).fill(10n);
    this.#bench = reading({}, this.#next.length);
  }

  step(): void {
    const random = this.#random;
    const kind = random.below(10);
    const index = random.below(this.#next.length);
    const fetches = this.#fetches;
    const fetch = fetches[random.below(Math.max(1, fetches.length))];
    if (kind < 5 && fetch !== undefined) this.#answer(fetch, random.below(3));
    else if (kind < 6 && fetch !== undefined) this.#lose(fetch);
    else if (kind < 7) this.#seek(index, BigInt(random.below(900)));
    else if (kind < 8) this.#moveLeader(index);
    else this.#bench.advance(random.below(400));
    this.#compareLogs();
    this.#check();
  }

  /** All brokers answer from now on. */
  end(): void {
    for (let i = 0; i < 30; i++) {
      this.#bench.advance(1000);
      this.#compareLogs();
      for (const fetch of this.#fetches) this.#answer(fetch, 1);
      this.#check();
    }
    const idle = this.#next.findIndex((_, index) => !partitionOf(this.#bench, index).isFetchInFlight);
    assert.equal(idle, -1, 'a partition that is not fetched');
    let isClosed = false;
    this.#bench.role.close(1000, 'default', this.#bench.now, () => {
      isClosed = true;
    });
    this.#bench.advance(1000);
    assert.ok(isClosed);
    assert.equal(this.#bench.released, this.#answers, 'answers whose memory was given back');
  }

  get #fetches(): Waiting[] {
    return this.#bench.waiting.filter(({ api }) => api.key === Fetch.key);
  }

  #first(fetch: Waiting): void {
    const { waiting } = this.#bench;
    waiting.splice(waiting.indexOf(fetch), 1);
    waiting.unshift(fetch);
  }

  /** @param records of each partition */
  #answer(fetch: Waiting, records: number): void {
    const session = this.#sessionOf(fetch);
    const partitions = [...session.offsets].map(([partitionIndex, baseOffset]) => {
      const isLeader = this.#bench.cluster.leader('t', partitionIndex)!.leaderId === fetch.to.brokerId;
      if (!isLeader) return { partitionIndex, errorCode: notLeader, highWatermark: -1n, lastStableOffset: -1n };
      const values = Array.from({ length: records }, () => ({ value: 'v' }));
      const found = { partitionIndex, errorCode: 0, highWatermark: 1000n, lastStableOffset: 1000n };
      return records === 0 ? found : { ...found, records: buildBatch({ baseOffset, records: values }) };
    });
    this.#answers++;
    this.#first(fetch);
    const responses = partitions.length === 0 ? [] : [{ topicId: idOf('t'), partitions }];
    this.#bench.answer(Fetch, { errorCode: 0, sessionId: session.id, responses });
  }

  #sessionOf(fetch: Waiting): Session {
    const { sessionEpoch, topics, forgottenTopicsData } = fetch.request as FetchRequest;
    const key = placeOf(fetch);
    const known = sessionEpoch! > 0 ? this.#sessions.get(key) : undefined;
    const session = known ?? { id: ++this.#lastSession, offsets: new Map<number, bigint>() };
    this.#sessions.set(key, session);
    for (const { partitions } of forgottenTopicsData!) for (const index of partitions!) session.offsets.delete(index);
    for (const { partitions } of topics!)
      for (const { partition, fetchOffset } of partitions!) session.offsets.set(partition!, fetchOffset as bigint);
    return session;
  }

  #lose(fetch: Waiting): void {
    this.#sessions.delete(placeOf(fetch));
    this.#first(fetch);
    this.#bench.fail(Fetch, new KafkaConnectionError('reset'));
  }

  #seek(index: number, offset: bigint): void {
    const partition = partitionOf(this.#bench, index);
    if (partition.isFetchInFlight) this.givenUp++;
    this.#bench.role.resolver.start(partition, { offset: String(offset) });
    this.#next[index] = offset;
    this.#bench.turn();
  }

  #moveLeader(index: number): void {
    const { leaderEpoch } = this.#bench.cluster.leader('t', index)!;
    this.#bench.leader('t', index, { leaderId: 1 + this.#random.below(3), leaderEpoch: leaderEpoch + 1 });
    this.#bench.turn();
  }

  /** New leaders have the same log. */
  #compareLogs(): void {
    while (this.#bench.asked(OffsetForLeaderEpoch).length > 0)
      this.#bench.answer(OffsetForLeaderEpoch, ({ topics }) => ({
        topics: topics!.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions!.map(({ partition, leaderEpoch }) => ({
            partition: partition!,
            errorCode: 0,
            leaderEpoch: leaderEpoch!,
            endOffset: 1000n,
          })),
        })),
      }));
  }

  #check(): void {
    const places = this.#fetches.map(placeOf);
    assert.equal(new Set(places).size, places.length, 'a connection with two fetches');
    for (const handed of this.#bench.application.handed.splice(0)) {
      const { batch, partition } = handed;
      handed.doneUpTo = batch.nextOffset;
      assert.equal(batch.firstOffset, this.#next[partition], `the first offset of a batch of partition ${partition}`);
      this.#next[partition] = batch.nextOffset;
      this.batches++;
    }
  }
}

before(prepareCodecs);

test('records come in order, once, and from every partition, whichever fetches are given up', () => {
  const given = process.env.SEED;
  const seeds = given === undefined ? Array.from({ length: runs }, (_, i) => i + 1) : [Number(given)];
  let batches = 0;
  let givenUp = 0;
  for (const seed of seeds) {
    const run = new Run(seed);
    try {
      for (let i = 0; i < 150; i++) run.step();
      run.end();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    batches += run.batches;
    givenUp += run.givenUp;
  }
  assert.ok(batches > 20 * seeds.length && givenUp >= seeds.length, `${batches} batches, ${givenUp} fetches given up`);
});
