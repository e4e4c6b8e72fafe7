// Owns the shared memory of a producer's link: how much of `bufferMemoryBytes` each part gets, and the handles for both threads.
// Application thread. Must not open an end of the link.

import type { MessagePort } from 'node:worker_threads';
import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { type ApplicationHandle, createAttachmentHandles, type NetworkHandle } from '../../ring/attachment.ts';
import { createLifeline } from '../../ring/lifeline.ts';
import { createProducerCounters } from '../../state/producer-counters.ts';

const minRingBytes = 8 * 1024;
/**
 * A larger ring brings nothing more. A smaller one is full after a few ms: then the application sleeps and is woken more often, which costs
 * more than what the processor's caches save (bench/macro/produce.ts).
 */
const maxRingBytes = 4 * 1024 * 1024;
/** For the outcomes of records. These frames are small, and few of them wait. */
const responseRingBytes = 128 * 1024;
/** Records of up to this size are copied into the ring. Larger ones are moved. */
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
  /** The rest, which is for batches. */
  readonly batchMemoryBytes: number;
}

/** @param isFurther the producer has a thread already: this one has smaller parts, since `bufferMemoryBytes` is for all threads together */
export function createProducerMemory(
  { bufferMemoryBytes }: ProducerConfig,
  networkDoorbell: SharedArrayBuffer,
  countersMemory: SharedArrayBuffer,
  isFurther = false,
): ProducerMemory {
  // One eighth is for records in the ring, and one eighth for large records under way.
  const eighth = bufferMemoryBytes / (isFurther ? 32 : 8);
  const ringBytes = Math.min(Math.max(eighth, minRingBytes), isFurther ? maxRingBytes / 4 : maxRingBytes);
  const requestRingBytes = 2 ** Math.floor(Math.log2(ringBytes));
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

/** The ports to move with the network thread's handle. */
export function portsOf({ link, lifePort }: NetworkProducerLink): readonly MessagePort[] {
  return [link.bodyPort, link.sparePort, lifePort];
}
