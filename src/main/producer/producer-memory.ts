// Owns the shared memory of a producer's link: how much of `bufferMemoryBytes` each part gets, and the handles for both threads.
// Application thread. Must not open either end.

import type { MessagePort } from 'node:worker_threads';
import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { type ApplicationHandle, createAttachmentHandles, type NetworkHandle } from '../../ring/attachment.ts';
import { createLifeline } from '../../ring/lifeline.ts';
import { createProducerCounters } from '../../state/producer-counters.ts';

const minRingBytes = 8 * 1024;
/** It stays in the processor's caches. */
const maxRingBytes = 1024 * 1024;
/** What became of records: small frames, of which few wait. */
const responseRingBytes = 128 * 1024;
/** Records up to this size lie in the ring; larger ones are moved. */
const maxSpillBytes = 64 * 1024;

export interface ApplicationProducerLink {
  readonly link: ApplicationHandle;
  readonly counters: SharedArrayBuffer;
  readonly lifePort: MessagePort;
}

export interface NetworkProducerLink {
  readonly link: NetworkHandle;
  readonly counters: SharedArrayBuffer;
  readonly lifePort: MessagePort;
}

export interface ProducerMemory {
  readonly application: ApplicationProducerLink;
  readonly network: NetworkProducerLink;
  /** What is left for batches. */
  readonly batchMemoryBytes: number;
}

export function createProducerMemory(
  { bufferMemoryBytes }: ProducerConfig,
  networkDoorbell: SharedArrayBuffer,
  countersMemory: SharedArrayBuffer,
): ProducerMemory {
  // An eighth each for records in the ring, and for large ones on their way.
  const eighth = bufferMemoryBytes / 8;
  const requestRingBytes = 2 ** Math.floor(Math.log2(Math.min(Math.max(eighth, minRingBytes), maxRingBytes)));
  const spillBytes = Math.min(maxSpillBytes, requestRingBytes / 4);
  const spillBudgetBytes = Math.floor(eighth);
  const { application, network } = createAttachmentHandles(
    { requestRingBytes, responseRingBytes, spillBytes: Math.min(spillBytes, responseRingBytes / 4), spillBudgetBytes },
    networkDoorbell,
    countersMemory,
  );
  const counters = createProducerCounters();
  const lifePorts = createLifeline();
  return {
    application: { link: application, counters, lifePort: lifePorts.application },
    network: { link: network, counters, lifePort: lifePorts.network },
    batchMemoryBytes: Math.max(0, bufferMemoryBytes - requestRingBytes - spillBudgetBytes),
  };
}

/** What has to be moved with the network thread's handle. */
export function portsOf({ link, lifePort }: NetworkProducerLink): readonly MessagePort[] {
  return [link.bodyPort, link.sparePort, lifePort];
}
