// Owns the handle with which another thread uses the same consumer, and the host of a consumer in an attached thread. Application
// thread.

import type { MessagePort } from 'node:worker_threads';
import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import type { ApplicationHandle } from '../../ring/attachment.ts';
import { checkHandle, claimHandle, type Handle, newHandle } from '../../ring/handle.ts';
import type { ConsumerMetricsMemory } from '../../state/consumer-metrics.ts';
import type { ClientHost, MetricsOrigin } from '../link/client-host.ts';

/** The host that a consumer's session needs: a client, or, in an attached thread, a host without a client. */
export type ConsumerHost = Pick<ClientHost, 'hold' | 'release' | 'addRole' | 'removeRole' | 'callbackThrew'>;

const kind = 'offthread-kafka consumer';
const keepAliveMs = 1000;

/**
 * Carries a consumer to another thread: as `workerData`, by `postMessage` or as a task of a pool. `transferList` must always be passed
 * as the transfer list. `Consumer.attach` opens the handle there, once.
 */
export interface ConsumerHandle extends Handle<typeof kind> {
  readonly config: ConsumerConfig;
  readonly application: ApplicationHandle;
  readonly table: SharedArrayBuffer;
  readonly snapshot: SharedArrayBuffer;
  /** Null: no metrics are recorded. */
  readonly metrics: ConsumerMetricsMemory | null;
  readonly metricsOrigin: MetricsOrigin;
  readonly lifePort: MessagePort;
}

export function makeConsumerHandle(
  parts: Pick<
    ConsumerHandle,
    'config' | 'application' | 'table' | 'snapshot' | 'metrics' | 'metricsOrigin' | 'lifePort'
  >,
): ConsumerHandle {
  const { bodyPort, sparePort } = parts.application;
  return { ...newHandle(kind, [bodyPort, sparePort, parts.lifePort]), ...parts };
}

/**
 * Opens the handle. Fails with TypeError for anything but a handle, and with IllegalStateError for a handle that was opened before, that was
 * sent to another thread, that another version of this package made, or whose consumer has ended.
 */
export async function claimConsumerHandle(given: unknown): Promise<ConsumerHandle> {
  const handle = checkHandle<ConsumerHandle>(given, kind, 'consumer.share()');
  await claimHandle(handle, handle.lifePort, 'consumer', () => false);
  return handle;
}

/** The host in an attached thread. There is no client, so this host keeps the thread alive and checks whether the network thread has ended. */
export function attachedHost(look: () => void): ConsumerHost {
  let holds = 0;
  let timer: NodeJS.Timeout | null = null;
  return {
    hold: () => {
      holds++;
      timer ??= setInterval(look, keepAliveMs);
    },
    release: () => {
      if (--holds > 0 || timer === null) return;
      clearInterval(timer);
      timer = null;
    },
    addRole: () => {},
    removeRole: () => {},
    callbackThrew: (error) => process.emitWarning(error instanceof Error ? error : String(error)),
  };
}
