// A whole network thread under random events: applications that send, close and stop reading; brokers that answer, split, stall, send
// wrong bytes and hang up; names and metadata that change; time that passes. Every request settles exactly once and in order, and the
// thread goes on. The message of a failing run has its seed; SEED=n repeats it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heartbeat, ListGroups, Produce } from '../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from './support/fake-network.ts';
import { type FakeBroker, type FakeRequest, frameOf, int32, responseFrame } from './support/fake-peer.ts';

const runs = Number(process.env.RUNS ?? 20);
const steps = 150;

/** mulberry32: integers from 0 to below. */
function randomOf(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const addresses = ['one:9092', 'two:9092', 'three:9092'];

class Schedule {
  readonly net: FakeNetwork;
  readonly #random: (below: number) => number;
  readonly #brokers: FakeBroker[];
  readonly #nodeIds = [1, 2, 3, -1, 99];

  constructor(seed: number) {
    this.#random = randomOf(seed);
    const random = this.#random;
    this.net = new FakeNetwork({
      bootstrapServers: addresses.slice(0, 1 + random(3)).join(),
      requestTimeoutMs: 500 + random(2000),
      connectionSetupTimeoutMs: 300,
      connectionSetupTimeoutMaxMs: 1000,
      connectionsMaxIdleMs: [-1, 700, 100_000][random(3)]!,
      metadataMaxAgeMs: [0, 1000, 100_000][random(3)]!,
      retryBackoffMs: 50 + random(100),
      ...(random(2) === 0 ? { responseRingBytes: 4096, requestRingBytes: 1 << 16, spillBytes: 1024 } : {}),
      spillBudgetBytes: 64 * 1024,
      receiveMessageMaxBytes: 1_000_000,
    });
    this.net.random = () => random(1000) / 1000;
    this.#brokers = addresses.map((address, i) => this.net.broker(address, i + 1));
  }

  step(): void {
    const { net } = this;
    const random = this.#random;
    const kind = random(100);
    if (kind < 30) this.#send();
    else if (kind < 60) this.#answer();
    else if (kind < 70) net.advance(random(3) === 0 ? random(1500) : random(60));
    else if (kind < 74) this.#misbehave();
    else if (kind < 80) net.app.connect(this.#pick(this.#nodeIds));
    else if (kind < 82) net.app.disconnect(this.#pick(this.#nodeIds));
    else if (kind < 86) net.app.isReading = random(3) > 0;
    else if (kind < 88) net.app.drain(random(4));
    else if (kind < 90) net.app.poll(1 + random(1000));
    else if (kind < 93) this.#changeCluster();
    else if (kind < 96) this.#changeServers();
    else if (kind < 97) void net.control.refreshMetadata(random(2) === 0 ? ['a', 'b'] : null, false);
    else if (kind < 98) void net.control.awaitReady(this.#pick(this.#nodeIds), 1 + random(500));
    else this.#pick(this.#brokers).transports.at(-1)?.drain();
    if (random(3) > 0) net.run();
  }

  #send(): void {
    const { app } = this.net;
    const random = this.#random;
    for (let count = 1 + random(6); count > 0; count--) {
      const nodeId = random(5) > 0 ? 1 + random(3) : this.#pick(this.#nodeIds);
      const timeoutMs = random(4) === 0 ? 1 + random(800) : -1;
      const version = random(8) === 0 ? random(8) : -1;
      const kind = random(10);
      if (kind < 6) app.send(nodeId, ListGroups, {}, { timeoutMs, version });
      else if (kind < 8) app.send(nodeId, Heartbeat, { groupId: 'g', generationId: 1, memberId: 'm' }, { timeoutMs });
      else app.send(nodeId, Produce, { acks: kind === 8 ? 0 : 1, timeoutMs: 1, topicData: [] }, { timeoutMs });
    }
  }

  #answer(): void {
    const random = this.#random;
    for (const broker of this.#brokers) {
      const answerable = broker.waiting.filter(({ transport, apiKey, body }) => {
        return !transport.isDestroyed && !(apiKey === Produce.key && body.acks === 0);
      });
      for (const request of answerable.slice(0, random(4))) {
        const throttleTimeMs = random(15) === 0 ? random(300) - 20 : 0;
        if (request.apiKey !== ListGroups.key) broker.reply({ throttleTimeMs }, request);
        else if (random(6) > 0) broker.reply({ throttleTimeMs, groups: this.#groups() }, request);
        else this.#trickle(broker, request);
      }
      // Nothing ever answers acks 0; so that what stands behind it may be answered, it counts as answered.
      while (broker.waiting[0]?.apiKey === Produce.key && broker.waiting[0].body.acks === 0) broker.next();
    }
  }

  #groups(): { groupId: string }[] {
    const size = this.#random(12) === 0 ? 3000 : this.#random(5);
    return Array.from({ length: size }, (_, i) => ({ groupId: `group ${i}` }));
  }

  /** The oldest answer of a connection, in pieces with turns in between. */
  #trickle(broker: FakeBroker, request: FakeRequest): void {
    if (broker.waiting[0] !== request) return;
    broker.next();
    const frame = responseFrame(request, { groups: this.#groups() });
    for (let at = 0; at < frame.length; ) {
      const end = at + 1 + this.#random(frame.length);
      request.transport.send(frame.subarray(at, end));
      if (this.#random(2) === 0) this.net.run();
      at = end;
    }
  }

  #misbehave(): void {
    const random = this.#random;
    const broker = this.#pick(this.#brokers);
    const transport = broker.transports.at(-1);
    if (transport === undefined || transport.isDestroyed) return;
    const [request] = broker.waiting;
    const kind = random(9);
    if (kind === 0) transport.end();
    else if (kind === 1) transport.fail(new Error('read ECONNRESET'));
    else if (kind === 2) transport.send(int32([-1, 0, 3, 2_000_000, 0x48545450][random(5)]!));
    else if (kind === 3) transport.send(frameOf(...Array.from({ length: 4 + random(40) }, () => random(256))));
    else if (kind === 4) transport.isBlocked = true;
    else if (kind === 5) broker.answers = false;
    else if (kind === 6) broker.answers = true;
    else if (request !== undefined && request.apiKey === ListGroups.key) {
      const frame = responseFrame(request, { groups: this.#groups() });
      if (kind === 7) {
        // Not in the throttle time: a broker that asks for a day of quiet gets it, and no test waits that long.
        const at = 4 + random(frame.length - 9);
        frame[at < 8 ? at : at + 5]! ^= 1 << random(8);
      }
      transport.send(frame);
      if (kind === 8) transport.end();
    }
  }

  #changeCluster(): void {
    const { cluster } = this.net;
    const random = this.#random;
    const all = addresses.map((address, i) => ({ id: i + 1, host: address.split(':')[0]!, port: 9092 }));
    const kind = random(5);
    if (kind === 0) cluster.brokers = [];
    else if (kind === 1) cluster.brokers = all.filter(() => random(2) === 0);
    else if (kind === 2) cluster.brokers = all.map((broker) => ({ ...broker, port: random(4) === 0 ? 70_000 : 9092 }));
    else if (kind === 3) cluster.brokers = all.map((broker) => ({ ...broker, host: all[random(3)]!.host }));
    else cluster.brokers = all;
  }

  #changeServers(): void {
    const random = this.#random;
    const i = random(3);
    const kind = random(5);
    const host = addresses[i]!.split(':')[0]!;
    if (kind === 0) this.net.serve(addresses[i]!, 'refuses');
    else if (kind === 1) this.net.serve(addresses[i]!, 'silent');
    else if (kind === 2) this.net.names.set(host, new Error('ENOTFOUND'));
    else if (kind === 3) this.net.names.set(host, ['nowhere', host]);
    else {
      this.net.names.delete(host);
      this.net.serve(addresses[i]!, this.#brokers[i]!);
    }
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random(list.length)]!;
  }
}

/** Responses of one node come in the order of their requests, but for those sent to where it was before metadata moved it. */
function checkOrder({ app }: FakeNetwork): void {
  const last = new Map<number, number>();
  const addresses = new Map<number, string>();
  const movedAt = new Map<number, number>();
  let updates = 0;
  for (const [at, entry] of app.log.entries()) {
    const [what, id] = entry.split(' ');
    if (what === 'metadata') {
      const { updateId, view } = app.metadata[updates]!;
      const brokers = new Map(view.brokers.map((b) => [b.nodeId, `${b.host}:${b.port}`]));
      // An application that is behind gets only the newest update: a node may have moved and come back.
      const hasSkipped = updates > 0 && updateId > app.metadata[updates - 1]!.updateId + 1;
      updates++;
      for (const nodeId of new Set([...brokers.keys(), ...addresses.keys()])) {
        if (hasSkipped || brokers.get(nodeId) !== addresses.get(nodeId)) movedAt.set(nodeId, at);
      }
      addresses.clear();
      for (const [nodeId, address] of brokers) addresses.set(nodeId, address);
    }
    if (what !== 'response') continue;
    const { nodeId, response, sentAfter } = app.sent[Number(id) - 1]!;
    if (response === null) continue;
    const before = last.get(nodeId) ?? 0;
    const wasElsewhere = (movedAt.get(nodeId) ?? -1) >= sentAfter;
    assert.ok(Number(id) > before || wasElsewhere, `${entry} of node ${nodeId} after ${before}`);
    last.set(nodeId, Math.max(before, Number(id)));
  }
}

test('every request settles once in random schedules', async () => {
  const first = process.env.SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(process.env.SEED);
  let settled = 0;
  for (let seed = first; seed < first + (process.env.SEED === undefined ? runs : 1); seed++) {
    const schedule = new Schedule(seed);
    const { net } = schedule;
    try {
      for (let i = 0; i < steps && net.fatal.length === 0; i++) schedule.step();
      assert.deepEqual(net.fatal, [], 'the thread lives');
      // With readers back and enough time, everything comes to an end by itself.
      net.app.isReading = true;
      net.advance(20_000);
      assert.equal(net.app.open, 0, 'requests left after every deadline');
      checkOrder(net);
      settled += net.app.accepted;
      await net.close();
    } catch (error) {
      net.timers.uninstall();
      throw new Error(`SEED=${seed}`, { cause: error });
    }
  }
  assert.ok(settled > 100);
});
