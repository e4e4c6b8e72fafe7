// Owns what `Producer.start` and `Consumer.start` tell the client that they start: which role comes, so that the network thread loads its code
// while it connects, and how to open it meanwhile. Application thread.

import type { KafkaClientOptions } from '../../common/config/config.ts';
import type { ExpectedRole } from '../../common/control.ts';

/** No option that applications can write by chance. */
const key = Symbol('expected role');

export interface Expected<Host> {
  readonly role: ExpectedRole;
  /** Opens the role. Called while the client starts; the network thread gets the call behind that for the start. */
  readonly open?: (host: Host) => Promise<unknown>;
}

/** The same options with what is expected. */
export function expecting<Host>(options: KafkaClientOptions, expected: Expected<Host>): KafkaClientOptions {
  return Object.assign({ ...options }, { [key]: expected });
}

/** The role that is expected by options of a client; null when none is. */
export function expectedRole(options: KafkaClientOptions): ExpectedRole | null {
  return expectedBy(options)?.role ?? null;
}

/** Opens what is expected while a client starts. Fails with the error that comes first, of the start or of the opening. */
export async function openMeanwhile<Host, T>(
  options: KafkaClientOptions,
  host: Host,
  starting: Promise<T>,
): Promise<T> {
  const [started] = await Promise.all([starting, expectedBy<Host>(options)?.open?.(host)]);
  return started;
}

function expectedBy<Host>(options: KafkaClientOptions): Expected<Host> | null {
  return (options as { readonly [key]?: Expected<Host> } | null)?.[key] ?? null;
}
