// The limit of the first call of an attached client: it ends the wait for a network thread that is gone, and no time counts in which this
// thread could not have read the answer.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { NetworkThreadError } from '../../../../src/common/errors/errors.ts';
import { AttachedThread } from '../../../../src/main/thread/attached-thread.ts';
import type { ClientHandle } from '../../../../src/main/thread/client-handle.ts';
import { createAttachmentHandles } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { CountersWriter, createCounters, STATE_RUNNING } from '../../../../src/state/counters.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const KiB = 1024;
const limits = { requestRingBytes: 64 * KiB, responseRingBytes: 64 * KiB, spillBytes: KiB, spillBudgetBytes: 64 * KiB };

let thread: AttachedThread;
let networkPorts: MessagePort[];
let lost: Error | null;

beforeEach(() => {
  const counters = createCounters();
  new CountersWriter(counters).setState(STATE_RUNNING);
  const { application, network } = createAttachmentHandles(limits, createDoorbell(), counters);
  const { port1, port2 } = new MessageChannel();
  networkPorts = [port2, network.bodyPort, network.sparePort];
  lost = null;
  // Only these parts of a handle are read.
  const handle = { application, metrics: null, controlPort: port1 } as unknown as ClientHandle;
  thread = new AttachedThread(handle);
  thread.onLost = (error) => {
    lost = error;
  };
});

afterEach(() => {
  for (const port of networkPorts) port.close();
});

test('a network thread that never answers is given up', async () => {
  thread.limitBegin(500);
  await waitFor('the end', () => lost);
  assert.ok(lost instanceof NetworkThreadError);
  assert.match(lost.message, /did not answer within 500 ms/);
});

test('an answer that came while this thread was blocked is in time, however late it is read', async () => {
  const limitMs = 500;
  const giveUp = thread.limitBegin(limitMs);
  const { port1, port2 } = new MessageChannel();
  const answered = new Promise<void>((resolve) => {
    port1.once('message', () => {
      giveUp();
      port1.close();
      resolve();
    });
  });
  // After this phase of the event loop timers fire, and only then messages are read.
  setImmediate(() => {
    port2.postMessage('the answer');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * limitMs);
  });
  await answered;
  assert.equal(lost, null);
});
