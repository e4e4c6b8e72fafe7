// Gives a producer in the network thread answers that decode and make no sense, requests that fail and time that passes: plain, idempotent
// and transactional. Every record that was accepted is settled once, no call twice, the memory comes back, and it closes in time.

import { prepareCodecs } from '../../../src/codec/index.ts';
import { KafkaConnectionError } from '../../../src/common/errors/errors.ts';
import { Produce } from '../../../src/protocol/flat/generated/apis.ts';
import type { Random } from '../../unit/protocol/support/random.ts';
import { responseView } from '../../unit/protocol/support/response-view.ts';
import { type TableMessage, tableMessages } from '../../unit/protocol/support/tables.ts';
import { FakeCluster, type SentProduce, topicId } from '../../unit/worker/producer/support/fake-cluster.ts';
import { TestProducer } from '../../unit/worker/producer/support/test-producer.ts';
import { Alterations } from '../support/altered.ts';
import { plausibleAnswer } from '../support/plausible.ts';
import { BrokenRule, type FuzzTarget, type Recorder } from '../support/target.ts';

const steps = 25;
const closeTimeoutMs = 5000;
const maxTurns = 10_000;
const responses = new Map<number, TableMessage>();

/** A call of an application that ends once. */
interface Call {
  readonly name: string;
  ends: number;
}

class Run {
  readonly cluster = new FakeCluster();
  readonly producer: TestProducer;
  readonly calls: Call[] = [];
  readonly records: number[] = [];
  readonly #random: Random;
  readonly #input: Recorder;
  readonly #isTransactional: boolean;

  constructor(random: Random, input: Recorder) {
    this.#random = random;
    this.#input = input;
    const kind = random.pick(['plain', 'idempotent', 'transactional']);
    this.#isTransactional = kind === 'transactional';
    if (random.chance(50)) this.cluster.features.set('transaction.version', 2);
    this.cluster.random = () => random.uint32() / 2 ** 32;
    this.cluster.addTopic('t', 2);
    const common = {
      lingerMs: random.pick([0, 5]),
      deliveryTimeoutMs: 20_000,
      requestTimeoutMs: 5000,
      maxBlockMs: 5000,
    };
    this.producer = new TestProducer(
      kind === 'transactional'
        ? { ...common, transactionalId: 'x' }
        : { ...common, enableIdempotence: kind === 'idempotent' },
      this.cluster,
    );
    this.producer.poll();
  }

  act(): void {
    const random = this.#random;
    const { cluster, producer } = this;
    const kind = random.below(100);
    if (kind < 25) this.#append();
    else if (kind < 50) this.#answerProduce();
    else if (kind < 75) this.#answerOther();
    else if (kind < 82) this.#advance(random.pick([1, 20, 100, 1000, 10_000]));
    else if (kind < 88) this.#call();
    else if (kind < 94) this.#fail();
    else if (kind < 97) cluster.partition('t', random.below(2)).leaderId = random.pick([1, 2]);
    else cluster.update();
    producer.poll();
  }

  /** Lets the rest fail, as connections and deadlines do, and checks the accounts. */
  end(): void {
    const { cluster, producer } = this;
    let isClosed = false;
    producer.role.close(cluster.now + closeTimeoutMs, () => {
      isClosed = true;
    });
    producer.poll();
    this.#failAll();
    for (let i = 0; i < maxTurns && !isClosed && cluster.now < 1e9; i++) {
      const deadline = producer.role.nextDeadline();
      cluster.now = Math.max(cluster.now + 1, Number.isFinite(deadline) ? deadline : cluster.now + 1000);
      producer.poll();
      this.#failAll();
    }
    if (!isClosed) throw new BrokenRule('the producer did not close');
    const open = this.records.filter((id) => !producer.settled.has(id));
    if (open.length > 0) throw new BrokenRule(`${open.length} of ${this.records.length} records were never settled`);
    // The application's thread ends those that wait when the producer has closed.
    for (const { name, ends } of this.calls) if (ends > 1) throw new BrokenRule(`${name} ended ${ends} times`);
    if (producer.role.usedBytes !== 0) throw new BrokenRule(`${producer.role.usedBytes} bytes are kept`);
  }

  #append(): void {
    const random = this.#random;
    for (let count = 1 + random.below(5); count > 0; count--) {
      try {
        const id = this.producer.append('x'.repeat(random.below(100)), { partition: random.pick([-1, 0, 1]) });
        if (id !== null) this.records.push(id);
      } catch (error) {
        // Outside of a transaction, or after a fatal error, records are refused.
        if (!(error instanceof Error) || !('code' in error)) throw error;
      }
    }
  }

  #answerProduce(): void {
    const { produces } = this.cluster;
    if (produces.length === 0) return;
    const [sent] = produces.splice(this.#random.below(produces.length), 1);
    const answer = this.#altered(Produce.key, sent!.version, this.#appended(sent!), Produce.name);
    sent!.request.onResponse(
      responseView(Produce, answer as never) as never,
      sent!.version,
      this.cluster.now,
      () => {},
    );
  }

  #appended({ batches, version }: SentProduce): object {
    const responsesOf = batches.map((batch) => {
      const { errorCode, offset } = this.cluster.partition('t', batch.partition).append(batch);
      const place = version >= 13 ? { topicId: topicId(batch.topic) } : { name: batch.topic };
      return { ...place, partitionResponses: [{ index: batch.partition, errorCode, baseOffset: BigInt(offset) }] };
    });
    return { responses: responsesOf };
  }

  #answerOther(): void {
    const { others, now } = this.cluster;
    if (others.length === 0) return;
    const [request] = others.splice(this.#random.below(others.length), 1);
    const { api } = request!;
    const version = Math.min(api.maxVersion, request!.maxVersion ?? api.maxVersion);
    const plausible = plausibleAnswer(api.key, request!.request, this.#random);
    const answer = this.#altered(api.key, version, plausible, api.name);
    request!.onResponse(responseView(api as never, answer as never) as never, version, now, () => {});
  }

  #altered(apiKey: number, version: number, answer: object, name: string): object {
    const altered = new Alterations(this.#random, responses.get(apiKey)!, version).of(answer);
    this.#input.note(`${name} version ${version}`, altered);
    return altered;
  }

  #fail(): void {
    const { cluster } = this;
    const { produces, others, now } = cluster;
    if (produces.length > 0) cluster.lose(produces[0], this.#random.chance(50));
    else others.shift()?.onFailure(new KafkaConnectionError('reset'), now);
  }

  #failAll(): void {
    const { cluster } = this;
    while (cluster.produces.length > 0) cluster.lose();
    while (cluster.others.length > 0) cluster.others.shift()!.onFailure(new KafkaConnectionError('reset'), cluster.now);
  }

  #advance(ms: number): void {
    const until = this.cluster.now + ms;
    for (let i = 0; this.cluster.now < until; i++) {
      if (i > maxTurns) throw new BrokenRule('deadlines without end');
      this.cluster.now = Math.min(until, Math.max(this.cluster.now + 1, this.producer.role.nextDeadline()));
      this.producer.poll();
    }
  }

  #call(): void {
    const { role } = this.producer;
    const { now } = this.cluster;
    const kind = this.#isTransactional ? this.#random.below(5) : 0;
    if (kind === 0) role.flush(this.#once('flush'), now);
    else if (kind === 1 || kind === 2) role.beginTransaction(this.#once('begin'), now);
    else if (kind === 3) {
      const offsets = [{ topic: 't', partition: 0, offset: '5' }];
      role.sendOffsets({ group: { groupId: 'g' }, offsets }, this.#once('sendOffsets'), now);
    } else role.endTransaction(this.#random.chance(50), this.#once('end'), now);
  }

  #once(name: string): () => void {
    const call: Call = { name, ends: 0 };
    this.calls.push(call);
    return () => {
      call.ends++;
    };
  }
}

export const producer: FuzzTarget = {
  name: 'producer',
  share: 4,

  async prepare() {
    await prepareCodecs();
    for (const table of tableMessages.values()) if (table.kind === 'response') responses.set(table.apiKey, table);
  },

  run(random, input) {
    const run = new Run(random, input);
    for (let step = 0; step < steps; step++) run.act();
    run.end();
  },
};
