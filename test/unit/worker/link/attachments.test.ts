// What the poll loop asks of all attachments together, without a loop.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import { HeapMemory } from '../../../../src/common/memory.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { ListGroups, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { createAttachment } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import type { MetadataUpdate } from '../../../../src/worker/client/metadata.ts';
import { Attachments } from '../../../../src/worker/link/attachments.ts';
import { BlockedThreads } from '../../../../src/worker/link/blocked-threads.ts';
import { Events } from '../../../../src/worker/report/events.ts';
import { Log } from '../../../../src/worker/report/log.ts';
import { Metrics } from '../../../../src/worker/report/metrics-recorder.ts';
import type { CodecPool } from '../../../../src/worker/requests/codec-pool.ts';
import { FakeApplication } from '../support/fake-application.ts';

const config = parseConfig({ requestRingBytes: 4096, responseRingBytes: 4096, spillBytes: 1024, codecPoolThreads: 0 });
const noPool = { isEnabled: false, hasRoom: () => true } as unknown as CodecPool;

let attachments: Attachments;
let apps: FakeApplication[];

function attach(): FakeApplication {
  const { application, handle } = createAttachment(config, createDoorbell(), createCounters());
  attachments.add(handle);
  const app = new FakeApplication(application);
  apps.push(app);
  return app;
}

beforeEach(() => {
  apps = [];
  attachments = new Attachments(
    config,
    noPool,
    { onClusterHints: () => {}, onPooledThrottle: () => {}, onPooledFailure: () => {} },
    new Metrics(null, 0),
    new BlockedThreads(0, new Events(new Metrics(null, 0), new Log('silent', () => {}))),
  );
});

afterEach(() => {
  for (const { end } of apps) end.close();
  for (const { end } of attachments.all) end.close();
});

/** Fails requests of the first attachment until its link is full, and one more. */
function overfill(app: FakeApplication): void {
  const { responses } = attachments.all[0]!;
  while (!responses.isBehind) {
    const { requestId, nodeId } = app.send(1, ListGroups, {});
    const { requests } = attachments.all[0]!.end;
    while (requests.next()) requests.release();
    responses.onFailure({ requestId, nodeId }, new KafkaConnectionError('x'));
  }
}

function metadata(updateId: number): MetadataUpdate {
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  Metadata.writeResponse(writer, { brokers: [{ nodeId: updateId, host: 'h', port: 1 }] });
  const byteLength = writer.finish();
  return { updateId, body: { i32: memory.i32, u8: memory.u8, base: 0, byteLength } };
}

test('there is work while an attachment has posted something', () => {
  attach();
  const app = attach();
  assert.equal(attachments.hasWork(), false);
  app.poll(1);
  assert.equal(attachments.hasWork(), true);
  const { requests } = attachments.all[1]!.end;
  while (requests.next()) requests.release();
  assert.equal(attachments.hasWork(), false);
});

test('there is work when a reader has released everything just before the writer said that it waits', () => {
  const app = attach();
  overfill(app);
  assert.equal(attachments.hasWork(), false, 'a full link is nothing to be done about');
  app.drain(1);
  assert.equal(attachments.hasWork(), false, 'the reader tells when it is through');
  app.drain();
  assert.equal(attachments.hasWork(), true);
  assert.equal(attachments.flush(1), true);
  assert.equal(attachments.hasWork(), false);
  app.drain();
  assert.equal(app.open, 0);
});

test('flush reports a recovery once', () => {
  const app = attach();
  assert.equal(attachments.flush(1), false);
  overfill(app);
  assert.equal(attachments.flush(1), false);
  app.drain();
  assert.equal(attachments.flush(2), true);
  assert.equal(attachments.flush(3), false);
});

test('metadata goes to all attachments, and to those that come later', () => {
  const first = attach();
  attachments.onMetadata(metadata(1));
  attachments.onMetadata(metadata(2));
  const late = attach();
  first.drain();
  late.drain();
  assert.deepEqual(first.log, ['metadata 1', 'metadata 2']);
  assert.deepEqual(late.log, ['metadata 2']);
  assert.equal([...late.metadata[0]!.view.brokers][0]!.nodeId, 2);
});

test('fences are answered in the turn after theirs, and counted until then', () => {
  const app = attach();
  const [attachment] = attachments.all;
  attachment!.fences.push({ pollId: 7, turn: 3 }, { pollId: 8, turn: 4 });
  assert.equal(attachments.answerPolls(3), 2);
  assert.equal(attachments.answerPolls(4), 1);
  assert.equal(attachments.answerPolls(5), 0);
  app.drain();
  assert.deepEqual(app.polled, [7, 8]);
});
