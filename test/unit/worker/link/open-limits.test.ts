// How much threads may have open in one network thread: attachments, producers, consumers, threads of a consumer, administration calls.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { parseConsumerConfig } from '../../../../src/common/config/consumer-config-parser.ts';
import { parseProducerConfig } from '../../../../src/common/config/producer-config.ts';
import type { Control, ControlResult } from '../../../../src/common/control.ts';
import { TooManyOpenError } from '../../../../src/common/errors/errors.ts';
import { fromPlainError, type PlainError } from '../../../../src/common/errors/plain-error.ts';
import {
  maxAdminCallsOfThread,
  maxAttachments,
  maxConsumersOfThread,
  maxProducersOfThread,
  maxThreadsOfConsumer,
} from '../../../../src/common/open-limits.ts';
import { createAttachmentHandles } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { createLifeline } from '../../../../src/ring/lifeline.ts';
import { createBatchTable } from '../../../../src/state/batch-table.ts';
import { createConsumerSnapshot } from '../../../../src/state/consumer-snapshot.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import { createProducerCounters } from '../../../../src/state/producer-counters.ts';
import { FakeNetwork } from '../support/fake-network.ts';

const sizes = { requestRingBytes: 1024, responseRingBytes: 1024, spillBytes: 128, spillBudgetBytes: 1024 };
let net: FakeNetwork;
const ports: MessagePort[] = [];

beforeEach(() => {
  net = new FakeNetwork({ requestRingBytes: 8192, responseRingBytes: 8192, spillBytes: 1024 });
  net.broker('one:9092', 1);
  net.ready(1);
});

afterEach(async () => {
  await net.close();
  for (const port of ports.splice(0)) port.close();
});

/** A link with small rings, and this thread's end of its lifeline. */
function link() {
  const { application, network } = createAttachmentHandles(sizes, createDoorbell(), createCounters());
  const life = createLifeline();
  ports.push(application.bodyPort, application.sparePort, life.application);
  return { link: network, lifePort: life.network, lifeline: life.application };
}

function producerLink() {
  const { lifeline, ...rest } = link();
  return { lifeline, given: { ...rest, counters: createProducerCounters() } };
}

function consumerLink() {
  const { lifeline, ...rest } = link();
  return { lifeline, given: { ...rest, table: createBatchTable(16) } };
}

const producerConfig = parseProducerConfig({ enableIdempotence: false }, () => {});
const consumerConfig = parseConsumerConfig({ assign: [{ topic: 't', partition: 0 }] });
const openProducer = (control: Control, given: object): Promise<ControlResult<number>> =>
  control.openProducer(producerConfig, { batchMemoryBytes: 100_000, metrics: null }, given);
const openConsumer = (control: Control): Promise<ControlResult<number>> =>
  control.openConsumer(consumerConfig, { ...consumerLink().given, snapshot: createConsumerSnapshot(), metrics: null });

/** Keeps the event loop alive until the port is closed. */
async function endOf(port: MessagePort): Promise<void> {
  port.ref();
  await once(port, 'close');
}

function refusal(result: ControlResult<unknown>): TooManyOpenError {
  assert.ok('error' in result, 'it was not refused');
  const error = fromPlainError(result.error);
  assert.ok(error instanceof TooManyOpenError, String(error));
  assert.deepEqual([error.code, error.retriable], ['KAFKA_TOO_MANY_OPEN', false]);
  return error;
}

function accepted<T>(result: ControlResult<T>): T {
  assert.ok('value' in result, JSON.stringify(result));
  return result.value;
}

test('so many threads can be attached, and when one has ended another can', () => {
  const apps = Array.from({ length: maxAttachments - 1 }, () => net.attach());
  const { counters } = net.app.end;
  assert.equal(counters.attachments(), maxAttachments);
  assert.throws(() => net.attach(), {
    name: 'TooManyOpenError',
    message: /^1024 clients are attached .* limit is 1024/,
  });
  net.detach(apps[0]!);
  assert.equal(counters.attachments(), maxAttachments - 1);
  net.attach();
  assert.throws(() => net.attach(), TooManyOpenError);
});

test('a thread has so many producers, others are not counted, and the link of one too many is closed', async () => {
  const other = net.controlOf(net.attach());
  let producerId = 0;
  for (let i = 0; i < maxProducersOfThread; i++)
    producerId = accepted(await openProducer(net.control, producerLink().given));
  const { lifeline, given } = producerLink();
  assert.match(
    refusal(await openProducer(net.control, given)).message,
    /^256 producers .* the limit is 256: close some/,
  );
  await endOf(lifeline);
  refusal(await net.control.attachProducer(producerId, producerLink().given));
  accepted(await openProducer(other, producerLink().given));
  accepted(await other.attachProducer(producerId, producerLink().given));
  refusal(await openProducer(net.control, producerLink().given));
});

test('a thread has so many consumers, and others are not counted', async () => {
  const other = net.attach();
  for (let i = 0; i < maxConsumersOfThread; i++) accepted(await openConsumer(net.control));
  assert.match(refusal(await openConsumer(net.control)).message, /^256 consumers .* the limit is 256/);
  accepted(await openConsumer(net.controlOf(other)));
  refusal(await openConsumer(net.control));
});

test('a consumer has so many threads, and one too many is told why', async () => {
  const id = accepted(await openConsumer(net.control));
  for (let i = 1; i < maxThreadsOfConsumer; i++) accepted(await net.control.attachConsumer(id, consumerLink().given));
  const { lifeline, given } = consumerLink();
  assert.match(refusal(await net.control.attachConsumer(id, given)).message, /^256 threads read this consumer/);
  const reason: unknown = receiveMessageOnPort(lifeline)?.message;
  assert.ok(fromPlainError(reason as PlainError) instanceof TooManyOpenError);
  await endOf(lifeline);
});

test('a thread has so many administration calls under way, and more when some have ended', async () => {
  const calls: Promise<ControlResult<unknown>>[] = [];
  const call = (): Promise<ControlResult<unknown>> => net.control.admin('listTopics', [{}], 1000);
  for (let i = 0; i < maxAdminCallsOfThread; i++) calls.push(call());
  assert.match(refusal(await call()).message, /^1024 administration calls .* the limit is 1024: await some/);
  const other = net.controlOf(net.attach()).admin('listTopics', [{}], 1000);
  await net.advanceSettled(2000);
  // Loading the code of the calls takes turns of the real event loop.
  let left = calls.length;
  for (const each of calls) void each.then(() => left--);
  while (left > 0) {
    await nextTurn();
    await net.advanceSettled(2000);
  }
  await other;
  const again = call();
  await net.advanceSettled(2000);
  assert.ok(
    !('error' in (await again)) ||
      !(fromPlainError(((await again) as { error: never }).error) instanceof TooManyOpenError),
  );
});
