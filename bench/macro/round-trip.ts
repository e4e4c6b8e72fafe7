// Measures small sequential requests: this client, awaited and by pollSync, against a bare socket on the main thread, in turns, with the
// same broker. Main thread, otherwise idle. It also measures the least cost of a socket in another thread on this machine: the same bytes
// through two doorbells, without a client (doorbell-worker.ts).

import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { ApiVersions, type ApiVersionsResponseView, type Future, KafkaClient, Metadata } from '../../src/index.ts';
import { createDoorbell, Doorbell } from '../../src/ring/doorbell.ts';
import { threadTimeMs } from '../main-job/thread-time.ts';
import { type BenchRow, median } from '../support/rows.ts';
import { withBroker } from './support/broker.ts';
import type { DoorbellWorkerData } from './support/doorbell-worker.ts';

// There are many short rounds, so that other work on the machine affects all contenders in the same way.
const rounds = Number(process.env.BENCH_ROUNDS ?? 30);
const requests = 500;
// With this client, about 20,000 requests of each kind are needed until nothing is compiled any more.
const warmUpRequests = 10_000;
const topic = 'bench-round-trip';

/** A minimal Kafka client on the main thread. */
class BareClient {
  readonly #socket: Socket;
  #resolve: (body: Buffer) => void = () => {};
  #received: Buffer | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      const bytes = this.#received === null ? chunk : Buffer.concat([this.#received, chunk]);
      const isWhole = bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0);
      this.#received = isWhole ? null : bytes;
      if (isWhole) this.#resolve(bytes);
    });
  }

  static async open(host: string, port: number): Promise<BareClient> {
    const socket = connect({ host, port, noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new BareClient(socket);
  }

  send(request: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Only the way to another thread and back. */
class Doorbells {
  readonly #worker: Worker;
  readonly #words: Int32Array;
  readonly #own: Doorbell;
  readonly #network: Doorbell;
  #requested = 0;
  readonly #hasAnswer = (): boolean => Atomics.load(this.#words, 1) === this.#requested;
  readonly #isConnected = (): boolean => Atomics.load(this.#words, 2) === 1;

  private constructor(data: DoorbellWorkerData) {
    this.#words = new Int32Array(data.shared, 0, 4);
    this.#own = new Doorbell(data.mainBell);
    this.#network = new Doorbell(data.ownBell);
    this.#worker = new Worker(new URL('./support/doorbell-worker.js', import.meta.url), { workerData: data });
  }

  static async open(host: string, port: number, request: Uint8Array): Promise<Doorbells> {
    const shared = new SharedArrayBuffer(1 << 20);
    const doorbells = new Doorbells({
      shared,
      ownBell: createDoorbell(),
      mainBell: createDoorbell(),
      host,
      port,
      request,
    });
    while (!doorbells.#isConnected()) await doorbells.#own.sleep(doorbells.#isConnected);
    return doorbells;
  }

  async awaited(): Promise<number> {
    this.#send();
    while (!this.#hasAnswer()) await this.#own.sleep(this.#hasAnswer);
    return this.#requested;
  }

  sync(): number {
    this.#send();
    while (!this.#hasAnswer()) this.#own.sleepSync(this.#hasAnswer, 1000);
    return this.#requested;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #send(): void {
    this.#requested = Atomics.add(this.#words, 0, 1) + 1;
    this.#network.notify();
  }
}

function bareRequest(apiKey: number, version: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4 + 8 + 2);
  head.writeInt32BE(10 + body.length, 0);
  head.writeInt16BE(apiKey, 4);
  head.writeInt16BE(version, 6);
  head.writeInt32BE(1, 8);
  head.writeInt16BE(-1, 12);
  return Buffer.concat([head, body]);
}

/** Reads every key and its range, like `readApiVersions`. */
function readBareApiVersions(answer: Buffer): number {
  let sum = 0;
  const count = answer.readInt32BE(10);
  for (let i = 0, at = 14; i < count; i++, at += 6) sum += answer.readInt16BE(at) + answer.readInt16BE(at + 4);
  return sum;
}

/** Reads the fields that a caller would read. */
function readApiVersions({ apiKeys }: ApiVersionsResponseView): number {
  let sum = 0;
  for (const { minVersion, maxVersion } of apiKeys) sum += minVersion + maxVersion;
  return sum;
}

interface Measured {
  readonly medianUs: number;
  readonly mainThreadUs: number;
}

async function measure(request: () => unknown, count: number): Promise<Measured> {
  const latencies: number[] = [];
  const before = threadTimeMs();
  for (let i = 0; i < count; i++) {
    const startedAt = performance.now();
    await request();
    latencies.push((performance.now() - startedAt) * 1000);
  }
  return { medianUs: median(latencies), mainThreadUs: ((threadTimeMs() - before) * 1000) / count };
}

const contenders = ['bare', 'awaited', 'pollSync', 'doorbells awaited', 'doorbells blocking'] as const;
type Contender = (typeof contenders)[number];

/** One kind of request, and all ways to send it. */
interface Kind {
  readonly name: string;
  readonly run: Record<Contender, () => unknown>;
  readonly measured: Record<Contender, Measured[]>;
}

function kind(name: string, run: Kind['run']): Kind {
  const measured = Object.fromEntries(contenders.map((contender) => [contender, []]));
  return { name, run, measured: measured as unknown as Kind['measured'] };
}

/** Every round has all kinds and contenders in random order: a contender's time depends, by tens of microseconds, on the one before it. */
async function compare(kinds: readonly Kind[], broker: string): Promise<BenchRow[]> {
  const turns = kinds.flatMap((one) => contenders.map((contender) => ({ one, contender })));
  for (const { one, contender } of turns) await measure(one.run[contender], warmUpRequests);
  for (let round = 0; round < rounds; round++) {
    for (const { one, contender } of shuffled(turns)) {
      one.measured[contender].push(await measure(one.run[contender], requests));
    }
  }
  return kinds.flatMap((one) => contenders.slice(1).flatMap((contender) => rowsOf(one, contender, broker)));
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

function rowsOf({ name, measured }: Kind, contender: Contender, broker: string): BenchRow[] {
  return (['medianUs', 'mainThreadUs'] as const).map((metric) => ({
    name: `round trip ${name}, ${contender}: ${metric}`,
    unit: 'us',
    ours: median(measured[contender].map((result) => result[metric])),
    comparison: 'bare socket on the main thread',
    theirs: median(measured.bare.map((result) => result[metric])),
    ratio: median(measured[contender].map((result, round) => result[metric] / measured.bare[round]![metric])),
    parameters: { broker, rounds, requests },
  }));
}

export async function run(): Promise<BenchRow[]> {
  return withBroker(async ({ host, port, description }) => {
    const client = await KafkaClient.start({ bootstrapServers: `${host}:${port}` });
    await client.setTopics([topic]);
    const node = client.cluster.brokers()[0]!.nodeId;
    await client.awaitReady(node);
    const bare = await BareClient.open(host, port);
    const untilDone = <T>(future: Future<T>): T => {
      while (!future.isDone) client.pollSync(1000, future);
      return future.value!;
    };

    const apiVersions = bareRequest(ApiVersions.key, 0, Buffer.alloc(0));
    const sendApiVersions = () => client.send(node, ApiVersions, {}, { version: 0 });
    const apiVersionsBells = await Doorbells.open(host, port, apiVersions);
    const topicName = Buffer.from(topic);
    const metadata = bareRequest(
      Metadata.key,
      1,
      Buffer.concat([Buffer.from([0, 0, 0, 1, 0, topicName.length]), topicName]),
    );
    const sendMetadata = () => client.send(node, Metadata, { topics: [{ name: topic }] }, { version: 1 });
    const metadataBells = await Doorbells.open(host, port, metadata);
    const rows = await compare(
      [
        kind('ApiVersions', {
          bare: async () => readBareApiVersions(await bare.send(apiVersions)),
          awaited: async () => readApiVersions(await sendApiVersions()),
          pollSync: () => readApiVersions(untilDone(sendApiVersions())),
          'doorbells awaited': () => apiVersionsBells.awaited(),
          'doorbells blocking': () => apiVersionsBells.sync(),
        }),
        kind('Metadata of one topic', {
          bare: async () => (await bare.send(metadata)).readInt32BE(8),
          awaited: async () => (await sendMetadata()).brokers.length,
          pollSync: () => untilDone(sendMetadata()).brokers.length,
          'doorbells awaited': () => metadataBells.awaited(),
          'doorbells blocking': () => metadataBells.sync(),
        }),
      ],
      description,
    );
    await apiVersionsBells.close();
    await metadataBells.close();
    bare.close();
    await client.close();
    return rows;
  });
}
