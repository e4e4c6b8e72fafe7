// Owns a whole network thread in the test's own thread: its real poll loop, attachments and rings, with a fake clock,
// resolver, sockets and brokers. Test thread. Time stands still unless the test moves it; between turns of the loop the
// events of peers happen, as sockets' callbacks do.
//
//   const net = new FakeNetwork({ bootstrapServers: 'one:9092' });
//   const broker = net.broker('one:9092', 1);
//   net.ready(1);                                    // connects, as an application that asks for node 1
//   const sent = net.app.send(1, ListGroups, {});
//   net.run();                                       // until the thread sleeps
//   broker.reply({ groups: [] });
//   net.run();
//   net.advance(30_000);                             // through every timer the thread sets
//   await net.close();                               // settles all, checks the accounts

import assert from 'node:assert/strict';
import type { KafkaClientConfig, KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import type { Control } from '../../../../src/common/control.ts';
import type { LogBatch } from '../../../../src/common/logger.ts';
import type { AskForToken } from '../../../../src/common/token-provider.ts';
import { createAttachment, type NetworkHandle } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { SEQ_WORD } from '../../../../src/ring/layout.ts';
import { ClientMetricsReader, createClientMetrics } from '../../../../src/state/api-metrics.ts';
import { createCounters, STATE_CLOSED } from '../../../../src/state/counters.ts';
import { type MetricsRow, metricsRow, TOTALS_ROW } from '../../../../src/state/shared-metrics.ts';
import type { Codecs } from '../../../../src/worker/client/application-requests.ts';
import type { Attachment } from '../../../../src/worker/link/attachments.ts';
import { Consumers } from '../../../../src/worker/link/consumers.ts';
import { Producers } from '../../../../src/worker/link/producers.ts';
import type { TransportEvents, TransportTarget } from '../../../../src/worker/net/transport.ts';
import { NetworkThread, type NetworkThreadMemory } from '../../../../src/worker/network-thread.ts';
import { Authenticator } from '../../../../src/worker/sasl/authenticator.ts';
import { Telemetry } from '../../../../src/worker/telemetry/telemetry.ts';
import { mustBeClosed } from '../../../helpers/invariant/open-things.ts';
import { FakeApplication } from './fake-application.ts';
import type { FakeCodecThreads } from './fake-codec-threads.ts';
import { FakeBroker, type FakeCluster, FakeTransport } from './fake-peer.ts';
import { FakeTimers } from './fake-timers.ts';

/** A runaway loop ends the test rather than the machine. */
const maxRounds = 100_000;
const nodeCapacity = 1024;

type Server = FakeBroker | 'refuses' | 'silent' | ((transport: FakeTransport) => void);
type Addresses = readonly string[] | Error | 'silent';

export class FakeNetwork {
  now = 1_000;
  /** Wall clock less monotonic clock. */
  wallAheadMs = 1_700_000_000_000;
  /** 0.5: no jitter, since it is symmetric. */
  random: () => number = () => 0.5;
  /** Which codecs are loaded, and what loads them. */
  codecs: Codecs = { isLoaded: () => true, load: () => assert.fail('no codec was expected to be loaded') };
  /** The token provider. */
  askForToken: AskForToken = () => assert.fail('no token was expected to be asked for');
  readonly config: KafkaClientConfig;
  readonly thread: NetworkThread;
  /** The control calls of `app`. */
  readonly control: Control;
  readonly app: FakeApplication;
  /** What Metadata answers, at every broker. */
  readonly cluster: FakeCluster = { clusterId: null, brokers: [], controllerId: -1, topics: [], throttleTimeMs: 0 };
  /** Every connection attempt, oldest first. */
  readonly transports: FakeTransport[] = [];
  readonly attempts: { address: string; at: number }[] = [];
  /** What names resolve to; a name that is not here resolves to itself. */
  readonly names = new Map<string, Addresses>();
  readonly lookups: string[] = [];
  /** Batches of log records; nobody says that they were taken. */
  readonly logs: LogBatch[] = [];
  /** Errors that ended the thread. */
  readonly fatal: unknown[] = [];
  readonly timers = new FakeTimers(() => this.now);
  readonly #servers = new Map<string, Server>();
  #applications: FakeApplication[] = [];
  readonly #attachmentOf = new Map<FakeApplication, Attachment>();
  /** Why attachments were detached. */
  readonly broken: Error[] = [];
  readonly #codecThreads: FakeCodecThreads | null;
  readonly #doorbell = createDoorbell();
  readonly #counters = createCounters(nodeCapacity);
  readonly #metrics = createClientMetrics(nodeCapacity);
  readonly #metricsReader = new ClientMetricsReader(this.#metrics).values;
  #events: (() => void)[] = [];
  #heldLookups: ((addresses?: readonly string[]) => void)[] = [];
  #lastBell = 0;
  #hasForgotten = false;
  #isClosed = false;
  readonly #closed = mustBeClosed(this, 'a FakeNetwork');
  readonly #handles: NetworkHandle[] = [];

  /** @param unchecked values that configuration would refuse */
  constructor(
    options: KafkaClientOptions = {},
    codecThreads: FakeCodecThreads | null = null,
    unchecked: Partial<KafkaClientConfig> = {},
  ) {
    const codecPoolThreads = codecThreads === null ? 0 : 2;
    // The application here sends whatever a test wants it to.
    const maxInFlightRequestsPerConnection = 10_000;
    // It reads only when a test wants it to, so it would often count as blocked.
    const blockedThreadWarnMs = 0;
    const defaults = {
      bootstrapServers: 'one:9092',
      codecPoolThreads,
      maxInFlightRequestsPerConnection,
      blockedThreadWarnMs,
    };
    this.config = { ...parseConfig({ ...defaults, ...options }), ...unchecked };
    this.#codecThreads = codecThreads;
    this.timers.install();
    this.thread = new NetworkThread(this.config, this.#memory(), {
      clock: () => this.now,
      wallClock: () => this.now + this.wallAheadMs,
      defer: this.timers.defer,
      random: () => this.random(),
      newMemberId: () => 'AAAAAAAAAAAAAAAAAAAAAA',
      resolve: (host, callback) => this.#resolve(host, callback),
      openTransport: (target, events) => this.#open(target, events),
      code: { producers: () => Producers, consumers: () => Consumers, telemetry: () => Telemetry, Authenticator },
      codecs: { isLoaded: (apiKey) => this.codecs.isLoaded(apiKey), load: (apiKey) => this.codecs.load(apiKey) },
      loadTokenSource: async () => () => this.askForToken(),
      startCodecThreads: async () => codecThreads ?? assert.fail('a pool of no threads was started'),
      postLog: (batch) => this.logs.push(batch),
      onFatal: (error) => this.fatal.push(error),
    });
    this.thread.onBroken = (_attachment, error) => this.broken.push(error);
    const { app, control } = this.#attach();
    this.app = app;
    this.control = control;
  }

  #memory(): NetworkThreadMemory {
    return { counters: this.#counters, doorbell: this.#doorbell, metrics: this.#metrics };
  }

  /** What was recorded in all, or of one node. */
  metrics(nodeId?: number): MetricsRow {
    const row = nodeId === undefined ? TOTALS_ROW : metricsRow(this.app.end.counters.nodeRow(nodeId));
    return this.#metricsReader.read([row], this.now)[0]!;
  }

  /** One more application. */
  attach(): FakeApplication {
    return this.#attach().app;
  }

  /** One more application, with connections of its own. */
  async attachOwn(): Promise<FakeApplication> {
    const app = this.attach();
    const said = await this.controlOf(app).hello('own');
    assert.ok('value' in said, JSON.stringify(said));
    app.end.counters.useScope(said.value);
    return app;
  }

  /** The control calls of an application. */
  controlOf(app: FakeApplication): Control {
    return this.thread.controlOf(this.#attachmentOf.get(app)!);
  }

  #attach(): { app: FakeApplication; control: Control } {
    const { requestRingBytes, responseRingBytes, spillBytes, spillBudgetBytes } = this.config;
    const sizes = { requestRingBytes, responseRingBytes, spillBytes, spillBudgetBytes };
    const { application, handle } = createAttachment(sizes, this.#doorbell, this.#counters);
    this.#handles.push(handle);
    const attachment = this.thread.attach(handle);
    const control = this.thread.controlOf(attachment);
    const added = new FakeApplication(application);
    this.#applications.push(added);
    this.#attachmentOf.set(added, attachment);
    return { app: added, control };
  }

  /** The application's thread ends without a word; nobody keeps its account any more. */
  detach(app: FakeApplication): void {
    this.thread.detach(this.#attachmentOf.get(app)!);
    this.forget(app);
  }

  forget(app: FakeApplication): void {
    this.#hasForgotten = true;
    this.#applications = this.#applications.filter((other) => other !== app);
    app.end.close();
  }

  /** A broker at `host:port`, part of the cluster when it has an id. */
  broker(address: string, id?: number): FakeBroker {
    const broker = new FakeBroker(this.cluster, id ?? null, () => this.now);
    this.serve(address, broker);
    if (id !== undefined) {
      const colon = address.lastIndexOf(':');
      this.cluster.brokers.push({ id, host: address.slice(0, colon), port: Number(address.slice(colon + 1)) });
    }
    return broker;
  }

  /** What happens to connections to `address:port`; without a server they are refused. */
  serve(address: string, server: Server): void {
    this.#servers.set(address, server);
  }

  /** Brings the node to where it accepts requests. */
  ready(nodeId: number): void {
    this.run();
    if (!this.app.isConnected(nodeId)) this.app.connect(nodeId);
    this.run();
    assert.ok(this.app.isConnected(nodeId), `node ${nodeId} is not ready`);
  }

  /** Lets peers and thread act until the thread sleeps. */
  run(): void {
    for (let round = 0; round < maxRounds; round++) {
      for (const { proxy } of this.#applications) proxy.flush();
      if (this.#hasRung()) this.thread.loop.wake();
      if (this.timers.hasDeferred) this.timers.runDeferred();
      else if (this.#events.length > 0) this.#runEvents();
      else if (this.timers.hasImmediates) this.timers.runImmediates();
      else if (this.#drain() === 0) {
        this.#check();
        return;
      }
    }
    throw new Error('the network thread does not come to rest');
  }

  /** The same for work that goes through promises. */
  async settled(): Promise<void> {
    for (let i = 0; i < 20; i++) {
      this.run();
      await Promise.resolve();
    }
  }

  /** Moves the time by `ms`, stopping wherever the thread set a timer. */
  advance(ms: number): void {
    this.run();
    const target = this.now + ms;
    for (let round = 0; this.timers.nextAt <= target; round++) {
      if (round > maxRounds) throw new Error('the network thread spins');
      this.now = Math.max(this.now, this.timers.nextAt);
      this.timers.fireDue();
      this.run();
    }
    this.now = target;
    this.run();
  }

  async advanceSettled(ms: number): Promise<void> {
    this.advance(ms);
    await this.settled();
  }

  /** Turns so far: a thread that sleeps makes none. */
  get turns(): number {
    return this.app.end.counters.turns();
  }

  /** Answers the look-ups of names that were `silent`. */
  answerLookups(): void {
    const held = this.#heldLookups;
    this.#heldLookups = [];
    for (const answer of held) this.later(() => answer());
  }

  /** Answers the oldest of them with these addresses. */
  answerLookup(addresses: readonly string[]): void {
    const answer = this.#heldLookups.shift();
    assert.ok(answer !== undefined, 'no look-up waits');
    this.later(() => answer(addresses));
  }

  /** Addresses connected to so far, `address:port`. */
  get attempted(): string[] {
    return this.attempts.map(({ address }) => address);
  }

  later(event: () => void): void {
    this.#events.push(event);
  }

  /** Ends the thread and checks that nothing was forgotten. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closed();
    try {
      for (const app of this.#applications) app.isReading = true;
      this.run();
      const result = await this.control.close();
      assert.deepEqual(result, { value: null });
      this.#drain();
      for (const app of this.#applications) assert.equal(app.open, 0, 'requests that nobody settled');
      const recorded = this.metrics();
      const settled = recorded.total('succeeded') + recorded.total('failed');
      assert.equal(recorded.total('accepted'), settled, 'the thread settled what it accepted');
      this.#check();
      assert.equal(this.app.end.counters.state(), STATE_CLOSED);
      for (const { target, isDestroyed } of this.transports) {
        assert.ok(isDestroyed, `connection to ${target.address}:${target.port} left open`);
      }
      assert.equal(this.timers.nextAt, Number.POSITIVE_INFINITY, 'a timer is left');
    } finally {
      this.timers.uninstall();
      for (const { end } of this.#applications) end.close();
      // In a thread its end does this: a port with messages that nobody has read stays open when the other end closes.
      for (const { bodyPort, sparePort } of this.#handles) {
        bodyPort.close();
        sparePort.close();
      }
    }
    assert.deepEqual(this.fatal, []);
  }

  /** accepted = succeeded + failed + open, and what is open is what the thread has in flight. */
  #check(): void {
    let open = 0;
    for (const app of this.#applications) {
      const settled = app.count('succeeded') + app.count('failed');
      assert.equal(app.accepted, settled + app.open, 'every request settles once');
      open += app.awaitingResponse;
    }
    if (this.#isClosed || this.fatal.length > 0 || this.#applications.some(({ isReading }) => !isReading)) return;
    const { counters, requests } = this.app.end;
    assert.ok(requests.isEmpty(), 'requests were left in the link');
    let inFlight = 0;
    for (const { row } of counters.allRows()) {
      inFlight += counters.inFlight(row) - counters.internalInFlight(row);
    }
    // A response that the codec pool works on has arrived, so its request is in flight no more; nobody counts what the
    // applications that are gone had in flight. With both, neither says anything of the other.
    if (this.#hasForgotten && this.#codecThreads !== null) return;
    // Those that wait for a place may be requests that get no answer.
    const taken = inFlight + this.metrics().total('waitingRequests');
    const areAllTaken = this.#applications.every(({ end }) => end.requests.isEmpty());
    if (this.#hasForgotten) assert.ok(open <= taken, 'requests open are in flight');
    else assert.ok(open >= inFlight, `${open} requests open, ${inFlight} in flight`);
    if (this.#codecThreads === null && areAllTaken) assert.ok(open <= taken, `${open} requests open, ${taken} taken`);
  }

  #drain(): number {
    let count = 0;
    for (const app of this.#applications) if (app.isReading) count += app.drain();
    return count;
  }

  #hasRung(): boolean {
    const bell = Atomics.load(new Int32Array(this.#doorbell), SEQ_WORD);
    const hasRung = bell !== this.#lastBell;
    this.#lastBell = bell;
    return hasRung;
  }

  #runEvents(): void {
    const events = this.#events;
    this.#events = [];
    for (const event of events) {
      event();
      this.timers.runDeferred();
    }
  }

  #resolve(host: string, callback: (error: Error | null, addresses: readonly string[]) => void): void {
    this.lookups.push(host);
    const addresses = this.names.get(host) ?? [host];
    const answer = (given?: readonly string[]): void => {
      const now = given ?? this.names.get(host) ?? [host];
      if (now instanceof Error) callback(now, []);
      else callback(null, now === 'silent' ? [host] : now);
    };
    if (addresses === 'silent') this.#heldLookups.push(answer);
    else this.later(() => answer());
  }

  #open(target: TransportTarget, events: TransportEvents): FakeTransport {
    const address = `${target.address}:${target.port}`;
    this.attempts.push({ address, at: this.now });
    if (!(target.port >= 0 && target.port <= 65535)) throw new RangeError(`port ${target.port} is no port`);
    const transport = new FakeTransport(this, target, events);
    const server = this.#servers.get(address) ?? 'refuses';
    if (server === 'refuses') {
      const error = new Error(`connect ECONNREFUSED ${address}`);
      transport.fail(Object.assign(error, { code: 'ECONNREFUSED' }));
    } else if (typeof server === 'function') {
      server(transport);
    } else if (server !== 'silent') {
      server.accept(transport);
    }
    this.transports.push(transport);
    return transport;
  }
}
