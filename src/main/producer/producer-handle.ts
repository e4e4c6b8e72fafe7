// Owns the handle by which another thread writes through the same producer. Application thread.

import type { MessagePort } from 'node:worker_threads';
import type { ProducerConfig } from '../../common/config/producer-options.ts';
import type { SharedClient } from '../link/client-host.ts';

const kind = 'offthread-kafka producer';

/**
 * Carries a producer to another thread: as `workerData`, in `postMessage` or as a task of a pool, always with `transferList` as the
 * transfer list. Opened there, once, by `Producer.attach`.
 */
export interface ProducerHandle {
  readonly kind: typeof kind;
  /** What has to be in the transfer list of whatever carries the handle. */
  readonly transferList: readonly MessagePort[];
  readonly client: SharedClient;
  readonly producerId: number;
  readonly config: ProducerConfig;
}

export function makeProducerHandle(client: SharedClient, producerId: number, config: ProducerConfig): ProducerHandle {
  return { kind, transferList: client.transferList, client, producerId, config };
}

/** Options with which a client opens its end of a shared producer instead of one of its own: only `Producer.attach` makes some. */
const handles = new WeakMap<object, ProducerHandle>();

export function optionsFor<O extends object>(handle: ProducerHandle, options: O): O {
  const own = { ...options };
  handles.set(own, handle);
  return own;
}

export function handleIn(options: unknown): ProducerHandle | null {
  return typeof options === 'object' && options !== null ? (handles.get(options) ?? null) : null;
}

/** Throws TypeError for what is no handle. That it is opened once is seen to by the client's handle in it. */
export function checkProducerHandle(given: unknown): ProducerHandle {
  const handle = given as Partial<ProducerHandle> | null | undefined;
  if (handle === null || typeof handle !== 'object' || handle.kind !== kind)
    throw new TypeError('attach takes what `producer.share()` returned, carried here with its transferList');
  return handle as ProducerHandle;
}
