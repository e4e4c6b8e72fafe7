// Owns the broker on which all clients are measured: one for the whole run, with every compiler of Java, warm before the first client comes, with a
// plaintext listener and one for TLS and SCRAM. It ends with the process. Main thread of the benchmark.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { DeleteTopics, KafkaClient, type KafkaClientOptions } from '../../../src/index.ts';
import { CertificateAuthority } from '../../../test/helpers/certificates.ts';
import { onProcessEnd } from '../../../test/kafka/fixture/cleanup.ts';
import { kafkaAvailability, startKafka } from '../../../test/kafka/fixture/index.ts';
import { tlsBroker } from '../../../test/kafka/security/support/tls-broker.ts';
import { shareBroker } from '../../macro/support/broker.ts';
import { createTopic, type FilledTopic, fillTopic } from '../../macro/support/topic.ts';
import { optionsOf } from './clients/ours.ts';
import { besides, findPeers } from './contender.ts';
import { isQuick, mostRecords, type Stage } from './harness.ts';
import type { Job } from './job.ts';
import type { Security } from './peer.ts';
import { buildPackage } from './published.ts';
import { runPeer } from './run-peer.ts';

export interface BrokerStage extends Stage {
  /** Its listener for TLS and SCRAM, and how to log in there. */
  readonly secure: { readonly bootstrapServer: string; readonly security: Security };
  /** A listener that is so far away. */
  readonly far: { readonly bootstrapServer: string; readonly roundTripMs: number };
}

const username = 'alice';
const password = 'alice-secret';
const farRoundTripMs = 100;
/** Large enough for the largest record of the scaling rows. */
const maxMessageBytes = 32 << 20;
const brokerWarmUpMs = isQuick ? 1500 : 6000;

let stage: Promise<BrokerStage> | null = null;

/** Starts it at the first call. */
export function brokerStage(): Promise<BrokerStage> {
  stage ??= start();
  return stage;
}

async function start(): Promise<BrokerStage> {
  const { available } = kafkaAvailability(undefined, true);
  if (!available) throw new Error('the peers are measured on a real broker: it needs Java 17 and Maven');
  await buildPackage();
  const { node, folder } = await findPeers();
  const ca = new CertificateAuthority('benchmark');
  onProcessEnd(() => ca.close());
  const module = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const more = { 'sasl.enabled.mechanisms': 'SCRAM-SHA-256', 'scram-sha-256.sasl.jaas.config': module };
  const options = tlsBroker(ca, { sasl: { certificate: ca.issue(), protocol: 'SASL_SSL', more } });
  const { extraProperties } = options;
  const kafka = await startKafka({
    ...options,
    extraPorts: 3,
    extraProperties: (place) => {
      const own = typeof extraProperties === 'function' ? extraProperties(place) : extraProperties!;
      const [, farPort, relayPort] = place.extraPorts;
      return {
        ...own,
        listeners: `${own.listeners},FAR://127.0.0.1:${farPort}`,
        'advertised.listeners': `${own['advertised.listeners']},FAR://127.0.0.1:${relayPort}`,
        'listener.security.protocol.map': `${own['listener.security.protocol.map']},FAR:PLAINTEXT`,
        // What was written is removed soon, before it goes to the disk.
        'log.retention.check.interval.ms': 1000,
        'log.segment.delete.delay.ms': 1000,
        'message.max.bytes': maxMessageBytes,
      };
    },
    formatArguments: ['--add-scram', `SCRAM-SHA-256=[name=${username},password=${password}]`],
    purpose: 'full speed',
    heapMegabytes: 1024,
  });
  const broker = kafka.brokers[0]!;
  const [, farPort, relayPort] = broker.extraPorts;
  await relay({ host: '127.0.0.1', port: farPort!, delayMs: farRoundTripMs / 2, listenPort: relayPort! });
  const made: BrokerStage = {
    node,
    folder,
    bootstrapServer: kafka.bootstrapServers[0]!,
    security: null,
    ownPids: [broker.pid!],
    description: `Apache Kafka ${kafka.version}`,
    secure: {
      bootstrapServer: `localhost:${broker.extraPorts[0]}`,
      security: { sslCaFile: ca.file('trusted.pem', ca.cert), username, password },
    },
    far: { bootstrapServer: `127.0.0.1:${relayPort}`, roundTripMs: farRoundTripMs },
  };
  await warmUp(made);
  shareBroker(made.bootstrapServer, made.description);
  return made;
}

function patientOptions(bootstrapServer: string, security: Security | null = null): KafkaClientOptions {
  return optionsOf({ bootstrapServer, security, folder: '', topic: '', partitions: 0 });
}

/** Starts the relay's process, which ends with this one. */
async function relay(job: object): Promise<void> {
  const child = spawn(process.execPath, [besides('relay-process'), JSON.stringify(job)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onProcessEnd(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.unref();
  (child.stdout as Socket).unref();
  (child.stdin as Socket).unref();
}

/**
 * A topic that is only written to: old segments go.
 * @param work           gets its name; it is removed afterwards
 * @param retentionBytes kept of each partition
 */
export async function* withWritten<T>(
  { bootstrapServer }: Stage,
  partitions: number,
  work: (topic: string) => AsyncGenerator<T>,
  retentionBytes = 1 << 27,
): AsyncGenerator<T> {
  const topic = nextTopic('written');
  await using client = await KafkaClient.start(patientOptions(bootstrapServer));
  const configs = { 'retention.bytes': String(retentionBytes), 'segment.bytes': '67108864' };
  await createTopic(client, topic, partitions, configs);
  yield* work(topic);
  await removeTopic(client, topic);
}

/** A topic full of records. @param work gets its name; it is removed afterwards */
export async function* withFilled<T>(
  { bootstrapServer }: Stage,
  filled: Omit<FilledTopic, 'topic'>,
  work: (topic: string) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const topic = nextTopic('filled');
  await using client = await KafkaClient.start(patientOptions(bootstrapServer));
  await fillTopic(client, { topic, ...filled, endOffset: Math.min(filled.endOffset, mostRecords) });
  yield* work(topic);
  await removeTopic(client, topic);
}

let topics = 0;

function nextTopic(kind: string): string {
  return `bench-${kind}-${process.pid}-${topics++}`;
}

async function removeTopic(client: KafkaClient, topic: string): Promise<void> {
  const node = client.cluster.controller?.nodeId ?? client.leastLoadedNode()!;
  await client.awaitReady(node);
  const topicId = client.cluster.topicId(topic)!;
  await client.send(node, DeleteTopics, { topics: [{ name: null, topicId }], topicNames: [topic], timeoutMs: 10_000 });
}

/** The first login loads much of Java, which takes longer on a busy machine than clients wait by default. */
async function firstLogin({ bootstrapServer, security }: BrokerStage['secure']): Promise<void> {
  const client = await KafkaClient.start(patientOptions(bootstrapServer, security));
  await client.close();
}

/** Java compiles what it runs often, so a new broker is slow for some seconds. */
async function warmUp(made: BrokerStage): Promise<void> {
  const common: Omit<Job, 'work' | 'topic' | 'endOffset' | 'bootstrapServer' | 'security' | 'valueBytes'> = {
    peer: 'this client',
    folder: made.folder,
    partitions: 4,
    acks: -1,
    compression: 'none',
    groupId: '',
    maxBytes: null,
    load: { blockMs: 0, share: 0 },
    warmUpMs: 0,
    measureMs: brokerWarmUpMs,
    atOnce: 1,
    ownPids: [],
    profileFolder: null,
  };
  await firstLogin(made.secure);
  const places = [made, { ...made.secure }];
  for (const { bootstrapServer, security } of places) {
    for await (const _ of withWritten(made, 4, async function* (topic) {
      yield runPeer(made.node, {
        ...common,
        bootstrapServer,
        security,
        topic,
        work: 'write',
        valueBytes: 100,
        endOffset: 0,
      });
    }));
    const filled = { partitions: 4, valueBytes: 1024, endOffset: Math.min(20_000, mostRecords) };
    for await (const _ of withFilled(made, filled, async function* (topic) {
      const peer = "this client's Fetch, recycled";
      yield runPeer(made.node, { ...common, peer, bootstrapServer, security, topic, work: 'read', ...filled });
    }));
  }
}
