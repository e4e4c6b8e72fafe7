// Owns the handle with which another thread gets its own client on the same network thread. A client makes the handle, structured
// clone carries it, and it is opened once. Application thread.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { VersionInfo } from '../../common/control.ts';
import { TooManyOpenError } from '../../common/errors/errors.ts';
import { withoutSecrets } from '../../common/secret.ts';
import { type ApplicationHandle, createAttachmentHandles } from '../../ring/attachment.ts';
import { checkHandle, claimHandle, type Handle, newHandle } from '../../ring/handle.ts';
import type { ClientMetricsMemory } from '../../state/api-metrics.ts';
import { CountersReader } from '../../state/counters.ts';
import { withPorts } from './control-calls.ts';
import { ringSizes } from './ring-sizes.ts';
import type { ThreadAccess } from './thread-access.ts';

const kind = 'offthread-kafka client';

/**
 * Carries a client to another thread: as `workerData`, by `postMessage` or as a task of a pool. `transferList` must always be passed
 * as the transfer list. `KafkaClient.attach` opens the handle there, once.
 */
export interface ClientHandle extends Handle<typeof kind> {
  /** The configuration without secrets. Only the network thread has these. */
  readonly config: KafkaClientConfig;
  readonly versions: VersionInfo | null;
  readonly application: ApplicationHandle;
  readonly metrics: ClientMetricsMemory | null;
  readonly controlPort: MessagePort;
}

/** Makes a handle. The network thread gets the other half by a control call. Until it has that, calls over the new control port wait. */
export function makeHandle(
  thread: ThreadAccess,
  config: KafkaClientConfig,
  versions: VersionInfo | null,
): ClientHandle {
  const { networkDoorbell, counters } = thread.end;
  const { application, network } = createAttachmentHandles(ringSizes(config), networkDoorbell.buffer, counters.buffer);
  const { port1, port2 } = new MessageChannel();
  const ports = [network.bodyPort, network.sparePort, port2];
  // If the network thread has ended, the port is closed, and the client that opens the handle sees that. If the network thread has refused
  // the handle, it tells that client so.
  thread
    .call((control) => control.attach(withPorts({ handle: network, controlPort: port2 }, ports)))
    .catch((error: unknown) => {
      if (!(error instanceof TooManyOpenError)) port1.close();
    });
  return {
    ...newHandle(kind, [application.bodyPort, application.sparePort, port1]),
    config: { ...withoutSecrets(config).open, logger: null },
    versions,
    application,
    metrics: thread.metrics?.memory ?? null,
    controlPort: port1,
  };
}

/**
 * Opens the handle. It cannot be opened again.
 * Fails with TypeError for anything that is not a handle, such as a client. Fails with IllegalStateError for a handle that was opened
 * before, that was sent to another thread, or that another version of this package made.
 */
export async function claimClientHandle(given: unknown): Promise<ClientHandle> {
  const handle = checkHandle<ClientHandle>(given, kind, 'client.share()');
  await claimHandle(handle, handle.controlPort, 'client', () =>
    new CountersReader(handle.application.counters).isEnded(),
  );
  return handle;
}
