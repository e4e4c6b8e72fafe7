// The network thread ends in every way, at every step of a connection's life: whatever was pending is settled once, with the error that
// says so, and the client can be closed. A table: rows are the ways, columns the steps.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Fetch, type KafkaClientOptions, Metadata, Produce, SaslHandshake } from '../../src/index.ts';
import { scriptUrl, startChild } from '../broker/support/child.ts';
import { neverResolved, type ThreadEnd } from '../broker/support/scripts/thread-hook.ts';
import type { StepArguments, StepReport } from '../broker/support/scripts/thread-steps.ts';
import { type ConnectBlackhole, startConnectBlackhole } from '../helpers/connect-blackhole.ts';
import { type EmbeddedBroker, type Reply, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { saslApis } from '../helpers/sasl-server.ts';
import { ScriptedServer, scripts } from '../helpers/scripted-server.ts';
import { waitFor } from '../helpers/wait-for.ts';

type How = ThreadEnd | 'terminate';
type Cell = StepArguments['cells'][number];

interface Step {
  readonly name: string;
  readonly pending: Cell['pending'];
  readonly isClosing?: boolean;
  readonly options: () => KafkaClientOptions;
  /** What the broker does with requests of these APIs. The step is reached when it was asked the first of them. */
  readonly replies?: ReadonlyMap<number, Reply>;
  /** The step is reached when the silent server has another connection. */
  readonly isAtSilentServer?: boolean;
}

const ways: readonly How[] = ['terminate', 'throw', 'throw-undefined', 'reject', 'exit', 'out-of-memory'];
/** A version, so that start does not wait for a broker; and no limit that ends a wait before the thread ends. */
const common: KafkaClientOptions = {
  apiVersion: [4, 0],
  closeTimeoutMs: 0,
  requestTimeoutMs: 600_000,
  connectionSetupTimeoutMs: 600_000,
  connectionSetupTimeoutMaxMs: 600_000,
  logLevel: 'silent',
};
const lost = 'KAFKA_NETWORK_THREAD';
/** What comes behind it on the connection waits, too. */
const never: Reply = { holdUntil: 'the end' };
const half: Reply = { wire: { cutAfter: 20, ending: 'silence' } };

let broker: EmbeddedBroker;
let loginBroker: EmbeddedBroker;
let blackhole: ConnectBlackhole;
let silent: ScriptedServer;
/** How often each client has asked each API, by client id and API key. */
const asked = new Map<string, number>();

const atBroker = (): KafkaClientOptions => ({ bootstrapServers: broker.bootstrapServers });
const toFetchAndProduce = (reply: Reply): ReadonlyMap<number, Reply> =>
  new Map([Fetch.key, Produce.key].map((key) => [key, reply]));

const steps: readonly Step[] = [
  {
    name: 'name look-up',
    pending: 'connection',
    options: () => ({ bootstrapServers: `broker${neverResolved}:9092` }),
  },
  { name: 'connect', pending: 'connection', options: () => ({ bootstrapServers: blackhole.address }) },
  {
    name: 'TLS handshake',
    pending: 'connection',
    options: () => ({ bootstrapServers: silent.address, securityProtocol: 'SSL' }),
    isAtSilentServer: true,
  },
  {
    name: 'version exchange',
    pending: 'connection',
    options: () => ({ bootstrapServers: silent.address }),
    isAtSilentServer: true,
  },
  {
    name: 'login',
    pending: 'connection',
    options: () => ({
      bootstrapServers: loginBroker.bootstrapServers,
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'PLAIN',
      saslPlainUsername: 'alice',
      saslPlainPassword: 'secret',
    }),
    replies: new Map([[SaslHandshake.key, never]]),
  },
  { name: 'metadata', pending: 'metadata', options: atBroker, replies: new Map([[Metadata.key, never]]) },
  { name: 'idle', pending: 'nothing', options: atBroker },
  { name: 'request in flight', pending: 'requests', options: atBroker, replies: toFetchAndProduce(never) },
  { name: 'half a response', pending: 'requests', options: atBroker, replies: toFetchAndProduce(half) },
  { name: 'close', pending: 'requests', isClosing: true, options: atBroker, replies: toFetchAndProduce(never) },
];

/** The client id tells the broker which step it is. */
async function obey(at: EmbeddedBroker, api: { readonly key: number }): Promise<void> {
  await at.control(api, ({ clientId }) => {
    const name = `${clientId} ${api.key}`;
    asked.set(name, (asked.get(name) ?? 0) + 1);
    return steps.find((step) => step.name === clientId?.split(':')[0])?.replies?.get(api.key) ?? {};
  });
}

before(async () => {
  broker = await startEmbeddedBroker({ topics: { logs: 1 } });
  loginBroker = await startEmbeddedBroker({ topics: { logs: 1 }, apiVersions: saslApis });
  for (const api of [Fetch, Produce, Metadata]) await obey(broker, api);
  await obey(loginBroker, SaslHandshake);
  blackhole = await startConnectBlackhole();
  silent = await ScriptedServer.start(scripts.silent);
});

after(async () => {
  await silent.close();
  await blackhole.close();
  await loginBroker.close();
  await broker.close();
});

let silentConnections = 0;

async function reached({ name, replies = new Map(), isAtSilentServer = false }: Step, how: How): Promise<void> {
  const [key] = replies.keys();
  if (key !== undefined) await waitFor(`API ${key} at ${name}`, () => (asked.get(`${name}:${how} ${key}`) ?? 0) > 0);
  if (!isAtSilentServer) return;
  await waitFor(`a connection at ${name}`, () => silent.connections.length > silentConnections);
  silentConnections = silent.connections.length;
}

describe('a network thread that ends', () => {
  for (const how of ways) {
    test(`by ${how} settles once what is pending, with the reason, at every step of a connection`, {
      timeout: 600_000,
    }, async (t) => {
      const cells = steps.map(({ name, pending, isClosing = false, options }) => ({
        step: name,
        pending,
        isClosing,
        options: { ...common, ...options(), clientId: `${name}:${how}` },
      }));
      // With this heap the thread that is to run out of memory does so soon.
      const execArgv = ['--import', scriptUrl('thread-hook'), '--max-old-space-size=80'];
      const child = startChild(t, 'thread-steps', { how, cells } satisfies StepArguments, { execArgv });
      for (const [i, step] of steps.entries()) {
        const printed = (): string[] => child.stdout.split('\n').slice(0, -1);
        await waitFor(`${step.name} to begin`, () => printed().length > 2 * i || child.hasEnded);
        if (!child.hasEnded) await reached(step, how);
        if (!child.hasEnded) child.tell('now');
        await waitFor(`the report of ${step.name}`, () => printed().length > 2 * i + 1 || child.hasEnded);
        if (child.hasEnded && printed().length < 2 * i + 2) assert.fail((await child.ended).stderr);
        check(step, JSON.parse(printed()[2 * i + 1]!) as StepReport);
      }
      const { exitCode, stderr } = await child.ended;
      assert.equal(stderr, '');
      assert.equal(exitCode, 0);
    });
  }
});

const expected: Readonly<Record<Cell['pending'], readonly string[]>> = {
  connection: ['awaitReady', 'refreshMetadata', 'record', 'poll'],
  metadata: ['refreshMetadata', 'record', 'poll'],
  nothing: [],
  requests: ['send', 'record', 'poll'],
};

function check({ name, pending, isClosing = false }: Step, report: StepReport): void {
  const names = [...expected[pending], ...(isClosing ? ['close'] : []), 'late send'];
  assert.deepEqual(Object.keys(report).sort(), [...names].sort(), name);
  for (const [what, { settled, outcome }] of Object.entries(report)) {
    assert.equal(settled, 1, `${name}: ${what}`);
    if (what === 'close') assert.equal(outcome, 'undefined', name);
    // A consumer that is closed has no more batches.
    else if (isClosing && what === 'poll') assert.match(outcome, /^(null|KAFKA_NETWORK_THREAD|KAFKA_CANCELLED)$/, name);
    // What is asked of a client that ends is refused, whatever it is.
    else if (isClosing && what === 'late send') assert.match(outcome, /^KAFKA_/, name);
    // Whichever comes first, the end of the thread or that of the client.
    else if (isClosing) assert.match(outcome, /^KAFKA_(NETWORK_THREAD|CANCELLED|PRODUCER_CLOSED)$/, `${name}: ${what}`);
    else assert.equal(outcome, lost, `${name}: ${what}`);
  }
}
