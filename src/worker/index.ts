// Owns the entry of the network thread: takes what the application thread passed, gives the parts their clock, sockets and
// ports, and exposes the control calls. Network thread.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import * as comlink from 'comlink';
import { prepareCodecs } from '../codec/index.ts';
import { monotonicNowMs } from '../common/clock.ts';
import type { KafkaClientConfig } from '../common/config/config.ts';
import { usesSasl } from '../common/config/sasl-config.ts';
import type { NetworkThreadData, ServedControl } from '../common/control.ts';
import { controlEndpoint } from '../common/control-endpoint.ts';
import { TooManyOpenError } from '../common/errors/errors.ts';
import { toPlainError } from '../common/errors/plain-error.ts';
import { defer } from '../common/microtask.ts';
import { withSecrets } from '../common/secret.ts';
// Every connection uses this codec first. It is loaded here, before `start` is answered, and not at first use: Node 22 (22.23)
// aborts a process that ends while one of its threads loads a module by `require`.
import '../protocol/wire/generated/api-versions.ts';
import '../protocol/wire/generated/metadata.ts';
import type { NetworkHandle } from '../ring/attachment.ts';
import type { ClientMetricsMemory } from '../state/api-metrics.ts';
import type { Attachment } from './link/attachments.ts';
import { trust } from './net/default-authorities.ts';
import { transportsFor } from './net/transports.ts';
import { NetworkThread } from './network-thread.ts';
import type { RoleCode } from './role-code.ts';

/** A thread that was started before its client has its data later. */
const data: unknown = workerData ?? (await new Promise((resolve) => parentPort?.once('message', resolve)));
const {
  config: openConfig,
  secrets,
  tokenPort,
  authorities,
  counters,
  doorbell,
  metrics,
  attachment,
  controlPort,
  logPort,
  isObserved,
  threadId,
  expects,
  sendsRequests,
} = data as NetworkThreadData<KafkaClientConfig, NetworkHandle, MessagePort, ClientMetricsMemory>;

// This must run before the first connection is made.
trust(authorities);
const config = withSecrets(openConfig, secrets);
const transports = await transportsFor(config);

const code: RoleCode = {
  producers: async () => (await import('./link/producers.ts')).Producers,
  consumers: async () => (await import('./link/consumers.ts')).Consumers,
  telemetry: async () => (await import('./telemetry/telemetry.ts')).Telemetry,
  Authenticator: usesSasl(config) ? (await import('./sasl/authenticator.ts')).Authenticator : null,
};
/** Code that is loaded while connections are made. */
const expected: Promise<unknown> = loadExpected();
// Whoever awaits it gets the error, too.
expected.catch(() => {});
/** Node 20 reads modules in the thread pool of the process, where they would wait behind the application's own work. */
const readsInPool = process.versions.node.startsWith('20.');
/** How long after the start the rest is loaded there. What comes first is more urgent, and a short program needs none of the rest. */
const restDelayMs = 500;
/** Whether records may be decoded, or compressed for the application, as soon as `start` is answered. */
const hasRecordsSoon = sendsRequests || expects === 'consumer';
let codecs: Promise<void> | null = null;

const thread = new NetworkThread(
  config,
  { counters, doorbell, metrics, isObserved, threadId },
  {
    clock: monotonicNowMs,
    wallClock: Date.now,
    defer,
    random: Math.random,
    newMemberId: randomMemberId,
    resolve: transports.resolve,
    openTransport: transports.open,
    prepareTransport: transports.prepare,
    code,
    loadTokenSource: async () => (await import('./sasl/token-sources.ts')).loadTokenSource(config, tokenPort),
    postLog: (batch) => logPort.postMessage(batch),
    // Nobody catches this error, on purpose: it ends the thread, and the application side is told the cause.
    onFatal: (error) => {
      queueMicrotask(() => {
        throw error;
      });
    },
  },
);

logPort.on('message', () => thread.logTaken());
// The control port of the owner keeps this thread alive.
logPort.unref();

const ports = new Map<Attachment, MessagePort>();
thread.onBroken = (attachment) => ports.get(attachment)?.close();

function serve(handle: NetworkHandle, port: MessagePort): void {
  const attachment = thread.attach(handle);
  ports.set(attachment, port);
  const control = thread.controlOf(attachment);
  const served: ServedControl<NetworkHandle, MessagePort> = {
    start: async () => {
      const [answer] = await Promise.all([control.start(), hasRecordsSoon ? codecsWhileConnecting() : null, expected]);
      if (readsInPool) loadRestSoon();
      return answer;
    },
    awaitReady: (nodeId, timeoutMs, lane) => control.awaitReady(nodeId, timeoutMs, lane),
    checkVersion: (nodeId, timeoutMs, isStrict) => control.checkVersion(nodeId, timeoutMs, isStrict),
    addTopics: (topics, needsAllTopics) => control.addTopics(topics, needsAllTopics),
    trackTopics: (topics, needsAllTopics) => control.trackTopics(topics, needsAllTopics),
    refreshMetadata: (topics, needsAllTopics) => control.refreshMetadata(topics, needsAllTopics),
    admin: (name, args, timeoutMs) => control.admin(name, args, timeoutMs),
    openProducer: async (producerConfig, opening, link) => {
      if (producerConfig.compressionType === 'zstd') await codecsReady();
      return control.openProducer(producerConfig, opening, link);
    },
    attachProducer: (producerId, link) => control.attachProducer(producerId, link),
    openConsumer: async (consumerConfig, handle) => {
      // It may be opened before `start` is answered.
      await codecsReady();
      return control.openConsumer(consumerConfig, handle);
    },
    attachConsumer: (consumerId, handle) => control.attachConsumer(consumerId, handle),
    memory: () => control.memory(),
    hello: (connections, threadId) => control.hello(connections, threadId),
    observe: (isObserved) => control.observe(isObserved),
    attach: async ({ handle, controlPort }) => {
      try {
        serve(handle, controlPort);
        return { value: null };
      } catch (error) {
        refuse(handle, controlPort, error);
        return { error: toPlainError(error) };
      }
    },
    close: async () => {
      const result = await control.close();
      // The port is closed after the answer has left. The owner's port is the last thing that keeps this thread alive.
      setImmediate(() => {
        port.close();
        if (attachment.isOwner) for (const other of ports.values()) other.close();
      });
      return result;
    },
  };
  comlink.expose(served, controlEndpoint(port) as unknown as comlink.Endpoint);
  if (attachment.isOwner) return;
  port.unref();
  // The ports of a thread close however it ends: in order, by `terminate`, by an exception or by `process.exit`.
  port.on('close', () => {
    ports.delete(attachment);
    thread.detach(attachment);
  });
}

/** The client that opens the handle gets the error as the answer to its first call, and then closes the port. */
function refuse({ bodyPort, sparePort }: NetworkHandle, port: MessagePort, error: unknown): void {
  bodyPort.close();
  sparePort.close();
  if (error instanceof TooManyOpenError) {
    const hello: ServedControl<NetworkHandle, MessagePort>['hello'] = async () => ({ error: toPlainError(error) });
    comlink.expose({ hello }, controlEndpoint(port) as unknown as comlink.Endpoint);
    port.unref();
  } else {
    port.close();
  }
}

serve(attachment, controlPort);

async function loadExpected(): Promise<void> {
  if (expects === 'producer') await code.producers();
  if (expects === 'consumer') await code.consumers();
}

/** Before Node 22.15 it loads WebAssembly. */
function codecsReady(): Promise<void> {
  codecs ??= prepareCodecs();
  return codecs;
}

/** The first connection is begun before that: its answers are on their way meanwhile. */
async function codecsWhileConnecting(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await codecsReady();
}

function loadRestSoon(): void {
  const load = (): void => {
    // Whoever opens a role awaits its code, and gets the error, too.
    for (const loaded of [code.producers(), code.consumers()]) Promise.resolve(loaded).catch(() => {});
    void codecsReady();
  };
  setTimeout(load, restDelayMs).unref();
}

/**
 * A uuid of version 4 in 22 characters, as Kafka prints it. It has to be unique, and it is no secret: Node seeds this generator of each thread from
 * the system's. `crypto` would take a tenth of a consumer's start to load.
 */
function randomMemberId(): string {
  const bytes = Buffer.alloc(16);
  for (let at = 0; at < 16; at += 4) bytes.writeUInt32LE(Math.floor(Math.random() * 2 ** 32), at);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('base64url');
}
