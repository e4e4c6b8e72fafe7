// Owns the handle with which another thread uses the same producer. Application thread.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { checkHandle, type Handle, newHandle } from '../../ring/handle.ts';
import type { ProducerMetricsMemory } from '../../state/producer-metrics.ts';
import type { SharedClient } from '../link/client-host.ts';

const kind = 'offthread-kafka producer';

/**
 * Carries a producer to another thread: as `workerData`, by `postMessage` or as a task of a pool. `transferList` must always be passed
 * as the transfer list. `Producer.attach` opens the handle there, once.
 */
export interface ProducerHandle extends Handle<typeof kind> {
  /** A handle of the producer's client. It makes sure that this handle is opened only once, and in the right thread. */
  readonly client: SharedClient;
  readonly producerId: number;
  readonly config: ProducerConfig;
  /** Null: no metrics are recorded. */
  readonly metrics: ProducerMetricsMemory | null;
}

export function makeProducerHandle(
  client: SharedClient,
  producerId: number,
  config: ProducerConfig,
  metrics: ProducerMetricsMemory | null,
): ProducerHandle {
  return { ...newHandle(kind, client.transferList), client, producerId, config, metrics };
}

/** The handles in options that `Producer.attach` makes. With such options a client attaches to a shared producer and does not open a new one. */
const handles = new WeakMap<object, ProducerHandle>();

export function optionsFor<O extends object>(handle: ProducerHandle, options: O): O {
  const own = { ...options };
  handles.set(own, handle);
  return own;
}

export function handleIn(options: unknown): ProducerHandle | null {
  return typeof options === 'object' && options !== null ? (handles.get(options) ?? null) : null;
}

/** Throws TypeError for anything that is not a handle, and IllegalStateError for a handle of another version. */
export function checkProducerHandle(given: unknown): ProducerHandle {
  return checkHandle<ProducerHandle>(given, kind, 'producer.share()');
}
