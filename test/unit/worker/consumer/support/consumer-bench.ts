// Owns a consumer's role with everything around it made by hand, without sockets or clocks: requests wait here until a test answers
// them; the cluster is what the test says; one application takes every batch.

import { parseConsumerConfig } from '../../../../../src/common/config/consumer-config-parser.ts';
import type { ConsumerEvent, ConsumerSnapshot } from '../../../../../src/common/consumer-calls.ts';
import { unfilledMemory } from '../../../../../src/common/memory.ts';
import type { Api } from '../../../../../src/protocol/flat/api.ts';
import { Fetch } from '../../../../../src/protocol/flat/generated/apis.ts';
import type { FetchResponseView } from '../../../../../src/protocol/flat/generated/fetch.ts';
import type { BrokerRequest, BrokerRequests, Destination } from '../../../../../src/worker/client/broker-requests.ts';
import type { ClusterView, PartitionLeader } from '../../../../../src/worker/client/cluster-view.ts';
import type { Refusal } from '../../../../../src/worker/client/refused-everywhere.ts';
import type { RoleHost } from '../../../../../src/worker/client/role.ts';
import type { ConsumerReport } from '../../../../../src/worker/consumer/consumer-report.ts';
import { ConsumerRole } from '../../../../../src/worker/consumer/consumer-role.ts';
import type { RecordDecoder } from '../../../../../src/worker/consumer/dealer.ts';
import type {
  Application,
  BatchLabel,
  HandedBatch,
  PreparedBatch,
  RaisedError,
} from '../../../../../src/worker/consumer/handed-batch.ts';
import type { DecodedRecords } from '../../../../../src/worker/requests/codec-work.ts';
import { receivedView, responseView } from '../../../protocol/support/response-view.ts';
import { noReport } from './no-report.ts';

export const idOf = (name: string, generation = 0): string =>
  Buffer.from(`${name}${generation}`.padEnd(16, '_').slice(0, 16)).toString('base64url');

export interface Handed {
  readonly batch: PreparedBatch;
  readonly partition: number;
  doneUpTo: bigint;
  isLost: boolean;
}

class BenchApplication implements Application {
  readonly id = 1;
  readonly events: ConsumerEvent[] = [];
  readonly raised: Error[] = [];
  readonly handed: Handed[] = [];
  isWaiting = true;
  askedAt: number | null = 0;
  see = (): boolean => false;
  roomBytes = Number.POSITIVE_INFINITY;
  hasRoom = (byteCount: number): boolean => byteCount <= this.roomBytes;
  lastAskedAt = (): number | null => this.askedAt;
  takeMemory = unfilledMemory;

  tell(event: ConsumerEvent): boolean {
    this.events.push(event);
    return true;
  }

  raise(error: Error): boolean {
    this.raised.push(error);
    return true;
  }

  raiseOf(_place: unknown, error: Error): RaisedError {
    this.raised.push(error);
    return { see: () => {}, withdraw: () => {} };
  }

  hand(batch: PreparedBatch, { partition }: Pick<BatchLabel, 'partition'> = { partition: -1 }): HandedBatch {
    const handed: Handed = { batch, partition, doneUpTo: batch.firstOffset, isLost: false };
    this.handed.push(handed);
    return {
      firstOffset: batch.firstOffset,
      nextOffset: batch.nextOffset,
      leaderEpoch: batch.leaderEpoch,
      count: batch.count,
      byteLength: batch.usedBytes,
      doneUpTo: () => handed.doneUpTo,
      isPosted: () => false,
      withdraw: () => false,
      isReturned: () => false,
      giveUp: () => {
        handed.isLost = true;
      },
      free: () => {},
    };
  }
}

/** The memory of the answer serves another one: who still reads it finds that out. */
function spoil({ responses }: FetchResponseView): void {
  for (const { partitions } of responses) for (const { records } of partitions) records.raw?.fill(0xff);
}

/** Decodes what a test lets it take, when the test says so. */
class BenchDecoder implements RecordDecoder {
  thresholdBytes = Number.POSITIVE_INFINITY;
  readonly waiting: { readonly bytes: Uint8Array; readonly done: (decoded: DecodedRecords | Error) => void }[] = [];

  takes(byteCount: number): boolean {
    return byteCount > this.thresholdBytes;
  }

  decode(bytes: Uint8Array, done: (decoded: DecodedRecords | Error) => void): void {
    this.waiting.push({ bytes, done });
  }
}

type AnyApi = Api<never, unknown, never>;

export class ConsumerBench implements RoleHost {
  now = 1000;
  readonly role: ConsumerRole;
  readonly application = new BenchApplication();
  readonly waiting: BrokerRequest<unknown, unknown>[] = [];
  readonly log: string[] = [];
  readonly disconnected: Destination[] = [];
  snapshot: ConsumerSnapshot | null = null;
  updatesAsked = 0;
  /** Who has asked that metadata covers which topics. */
  readonly tracked = new Map<object, Set<string>>();
  /** How many answers' memory was given back. */
  released = 0;
  /** Topic to its partitions' leaders. */
  readonly topicsByName = new Map<string, { id: string; leaders: PartitionLeader[] }>();
  /** Topic to the error code that metadata has for it. */
  readonly topicErrors = new Map<string, number>();
  versions: (key: number) => { min: number; max: number } | null = () => ({ min: 0, max: 99 });
  isUp: (to: Destination) => boolean = () => true;
  refusal: Refusal | null = null;
  errorOf: (to: Destination) => Error | null = () => null;
  #isWoken = false;
  #updateId = 1;

  readonly report: ConsumerReport;
  /** What decodes outside, as a test says. */
  readonly decoder = new BenchDecoder();

  constructor(options: Record<string, unknown>, report = noReport) {
    this.report = report;
    const retryBackoffMs = 100;
    this.role = new ConsumerRole(
      this,
      {
        config: parseConsumerConfig(options),
        requestTimeoutMs: 30_000,
        retryBackoffMs,
        metadataMaxAgeMs: 300_000,
        decode: { verifyCrc: true, records: 'rows', maxDecompressedBytes: 1 << 24 },
        prefixBytes: 64,
        decoder: this.decoder,
        newMemberId: () => 'member-id',
        log: (level, text) => this.log.push(`${level} ${text}`),
        report: this.report,
        onSnapshot: (snapshot) => {
          this.snapshot = snapshot;
        },
        onClosed: () => {},
      },
      this.now,
    );
    this.role.add(this.application);
  }

  /** Topics with all partitions at broker 1, epoch 5. */
  topic(name: string, partitions: number, generation = 0): this {
    const leaders = Array.from({ length: partitions }, () => ({ leaderId: 1, leaderEpoch: 5 }));
    this.topicsByName.set(name, { id: idOf(name, generation), leaders });
    this.#updateId++;
    return this;
  }

  /** Metadata comes, with this error code for the topic. */
  topicFails(name: string, errorCode: number): void {
    this.topicsByName.delete(name);
    this.topicErrors.set(name, errorCode);
    this.#updateId++;
  }

  leader(topic: string, partition: number, leader: PartitionLeader): void {
    this.topicsByName.get(topic)!.leaders[partition] = leader;
    this.#updateId++;
  }

  wake(): void {
    this.#isWoken = true;
  }

  random = (): number => 0.5;
  wallClock = (): number => 1_700_000_000_000 + this.now;

  /** Rounds until nothing asks for another. */
  turn(): this {
    for (let i = 0; i < 100; i++) {
      this.#isWoken = false;
      this.role.poll(this.now);
      if (!this.#isWoken) return this;
    }
    throw new Error('the role asks for rounds without end');
  }

  /** Moves the clock by way of every deadline. */
  advance(ms: number): this {
    const until = this.now + ms;
    for (let i = 0; i < 100_000; i++) {
      const deadline = this.role.nextDeadline(this.now);
      if (!(deadline < until)) {
        this.now = until;
        return this.turn();
      }
      this.now = Math.max(this.now + 1, deadline);
      this.turn();
    }
    throw new Error('deadlines without end');
  }

  /** Requests of an API that wait for their answer. */
  asked<Request>(api: Api<Request, unknown, never>): Request[] {
    return this.waiting.filter((one) => one.api.key === api.key).map(({ request }) => request as Request);
  }

  /** Answers the oldest request of an API, then runs a turn. */
  answer<Request, Response, Data>(
    api: Api<Request, Response, Data>,
    data: Data | ((request: Request) => Data),
    version = api.maxVersion,
  ): Request {
    const one = this.#take(api as unknown as AnyApi);
    const request = one.request as Request;
    const response = typeof data === 'function' ? (data as (request: Request) => Data)(request) : data;
    const plain = api as unknown as Api<never, Response, Data>;
    const view = api.key === Fetch.key ? receivedView(plain, response, version) : responseView(plain, response);
    one.onResponse(view, version, this.now, () => {
      this.released++;
      if (api.key === Fetch.key) spoil(view as unknown as FetchResponseView);
    });
    this.turn();
    return request;
  }

  fail(api: { readonly key: number; readonly name: string }, error: Error): void {
    this.#take(api).onFailure(error, this.now);
    this.turn();
  }

  /** Events of a type, in order. */
  events<T extends ConsumerEvent['type']>(type: T): Extract<ConsumerEvent, { type: T }>[] {
    return this.application.events.filter((event) => event.type === type) as Extract<ConsumerEvent, { type: T }>[];
  }

  #take(api: { readonly key: number; readonly name: string }): BrokerRequest<unknown, unknown> {
    const at = this.waiting.findIndex((one) => one.api.key === api.key);
    if (at < 0) {
      const others = this.waiting.map((one) => one.api.name).join(', ');
      throw new Error(`no ${api.name} waits for an answer, only: ${others}`);
    }
    return this.waiting.splice(at, 1)[0]!;
  }

  readonly requests: BrokerRequests = {
    isReady: (to) => this.isUp(to),
    readyAt: (to, now) => (this.isUp(to) ? now : Number.POSITIVE_INFINITY),
    lastError: (to) => this.errorOf(to),
    refusedEverywhere: () => this.refusal,
    send: (request) => void this.waiting.push(request as unknown as BrokerRequest<unknown, unknown>),
    flush: () => {},
    versionRange: (_brokerId, { key }) => this.versions(key),
    finalizedFeature: () => 1,
    inFlight: (to) => this.#waitingAt(to).length,
    throttledUntil: () => 0,
    disconnect: (to, reason, now) => {
      this.disconnected.push(to);
      for (const one of this.#waitingAt(to)) {
        this.waiting.splice(this.waiting.indexOf(one), 1);
        one.onFailure(reason, now);
      }
    },
  };

  #waitingAt({ brokerId, lane }: Destination): BrokerRequest<unknown, unknown>[] {
    return this.waiting.filter(({ to }) => to.brokerId === brokerId && to.lane === lane);
  }

  readonly cluster: ClusterView = this.#newCluster();

  #newCluster(): ClusterView {
    const self = this;
    const brokers = new Map([1, 2, 3].map((id) => [id, { id, host: 'h', port: id, rack: null }]));
    return {
      get updateId() {
        return self.#updateId;
      },
      clusterId: 'bench',
      brokers,
      rack: () => null,
      topics: () => [...self.topicsByName.keys()],
      isInternal: (topic) => topic.startsWith('__'),
      partitionCount: (topic) => self.topicsByName.get(topic)?.leaders.length ?? null,
      leader: (topic, partition) => self.topicsByName.get(topic)?.leaders[partition] ?? null,
      replicaRacks: () => new Set(),
      topicId: (topic) => self.topicsByName.get(topic)?.id ?? null,
      topicName: (id) => [...self.topicsByName].find(([, { id: own }]) => own === id)?.[0] ?? null,
      topicError: (topic) => self.topicErrors.get(topic) ?? null,
      addTopic: (role, topic) => void self.tracked.set(role, new Set(self.tracked.get(role)).add(topic)),
      removeTopic: (role, topic) => void self.tracked.get(role)?.delete(topic),
      setNeedsAllTopics: () => {},
      forget: (role) => void self.tracked.delete(role),
      requestUpdate: () => void self.updatesAsked++,
      onUpdate: () => () => {},
      learn: () => {},
    };
  }
}
