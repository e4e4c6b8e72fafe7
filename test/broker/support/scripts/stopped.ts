// A program that is stopped while much is under way: test/fault/stopped-process.test.ts says what it opens, and stops it. It prints a line of
// JSON for everything that ends, and for each record that it reads. A line to its stdin tells it what to do next.

import { createInterface } from 'node:readline';
import {
  type Consumer,
  ConsumerGroupDescribe,
  type ConsumerOptions,
  KafkaClient,
  KafkaClientError,
  type KafkaClientOptions,
  type Producer,
  type ProducerOptions,
} from '../../../../src/index.ts';
import { patient } from '../../../helpers/patience.ts';

export interface StoppedArguments {
  readonly options: KafkaClientOptions;
  /** It connects to them, and asks the first one. Without any, it only reads. */
  readonly nodes: readonly number[];
  /** One for each topic, which names it. */
  readonly producers: readonly {
    readonly topic: string;
    readonly options: ProducerOptions;
    /** How many records are given behind the one that is in flight. */
    readonly buffered: number;
  }[];
  /** Groups that read the topic `read`. */
  readonly groups: readonly { readonly groupId: string; readonly options: ConsumerOptions }[];
  /** Limit of the application's own calls, in ms. */
  readonly limitMs: number;
}

/** What has happened to whom. */
export interface Told {
  readonly name: string;
  /** `ok`, the code of an error, or the value of a record. */
  readonly outcome: string;
  /** Of a record that has failed. */
  readonly maybeWritten?: boolean;
}

/** A record that is written when all is over is given again so often. */
const maxTries = 20;

const { options, nodes, producers, groups, limitMs } = JSON.parse(process.argv[2]!) as StoppedArguments;
const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
const underWay: Promise<void>[] = [];

function say(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

function ended(name: string, value: unknown): void {
  if (!(value instanceof Error)) say({ name, outcome: 'ok' });
  else if (!(value instanceof KafkaClientError)) say({ name, outcome: `untyped: ${value.stack}` });
  else say({ name, outcome: value.code, maybeWritten: value.maybeWritten === true });
}

/** Tells each end: a second one would be seen. */
function follow(name: string, future: PromiseLike<unknown>): Promise<void> {
  const told = new Promise<void>((resolve) => {
    const onEnd = (value: unknown): void => {
      ended(name, value);
      resolve();
    };
    if ('addBoth' in future) (future as { addBoth(both: (value: unknown) => void): void }).addBoth(onEnd);
    else future.then(onEnd, onEnd);
  });
  underWay.push(told);
  return told;
}

async function openProducer({ topic, options: own }: StoppedArguments['producers'][number]): Promise<Producer> {
  const producer = await client.producer(own);
  await follow(`${topic} first`, producer.send(topic, { value: 'first' }));
  return producer;
}

async function openMember({ groupId, options: own }: StoppedArguments['groups'][number]): Promise<Consumer> {
  const consumer = await client.consumer({ groupId, topics: ['read'], autoOffsetReset: 'earliest', ...own });
  consumer.on('lost', () => say({ name: `${groupId} lost`, outcome: 'ok' }));
  consumer.on('error', (error) => ended(`${groupId} error`, error));
  return consumer;
}

async function read(groupId: string, consumer: Consumer): Promise<void> {
  while (!isOver) {
    const batch = await consumer.poll(limitMs);
    for (const { value } of batch ?? []) say({ name: groupId, outcome: String(value) });
    batch?.done();
  }
}

/** Until the cluster has the record. What becomes of each try is told. */
async function writeLast({ topic }: StoppedArguments['producers'][number], producer: Producer): Promise<void> {
  for (let i = 0; i < maxTries; i++) {
    const sent = producer.send(topic, { value: `last ${i}` });
    await follow(`${topic} last ${i}`, sent);
    if (sent.succeeded) return;
  }
}

let isOver = false;
const client = await KafkaClient.start({ ...patient, ...options });
await Promise.all(nodes.map((nodeId) => client.awaitReady(nodeId)));
const opened = await Promise.all(producers.map(openProducer));
const members = await Promise.all(groups.map(openMember));
const reading = members.map((member, i) => read(groups[i]!.groupId, member));
say({ name: 'ready', outcome: 'ok' });

await lines.next();
const [asked] = nodes;
if (asked !== undefined) {
  const question = { groupIds: ['nobody'], includeAuthorizedOperations: false };
  const request = client.send(asked, ConsumerGroupDescribe, question);
  void follow('request', request);
  const polled = client.poll(limitMs, request);
  underWay.push(polled.then(() => say({ name: 'poll for it', outcome: request.isDone ? 'ok' : 'open' })));
}
for (const [i, { topic }] of producers.entries()) {
  void follow(`${topic} flying`, opened[i]!.send(topic, { value: 'flying' }));
}
// Those records are in requests now.
await client.poll(0);
for (const [i, { topic, buffered }] of producers.entries()) {
  for (let j = 0; j < buffered; j++) {
    const value = `buffered ${j}`;
    void follow(`${topic} ${value}`, opened[i]!.send(topic, { value }));
  }
  void follow(`${topic} flush`, opened[i]!.flush({ timeoutMs: limitMs }));
}
if (asked !== undefined) {
  void follow('awaitTopic', client.awaitTopic('later', { timeoutMs: limitMs }));
  void follow('poll', client.poll(limitMs));
}
// These ones are in batches.
await client.poll(0);
say({ name: 'waiting', outcome: 'ok' });

await lines.next();
await Promise.all(underWay);
await Promise.all(producers.map((of, i) => writeLast(of, opened[i]!)));
isOver = true;
await Promise.all(members.map((member) => member.close()));
await Promise.all(reading);
await client.close();
process.stdin.destroy();
