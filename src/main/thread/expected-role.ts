// Owns a hint that `Producer.start` and `Consumer.start` give to the network thread that they start: it loads the code of that role while it
// connects. Application thread.

import type { KafkaClientOptions } from '../../common/config/config.ts';
import type { ExpectedRole } from '../../common/control.ts';

/** No option that applications can write by chance. */
const key = Symbol('expected role');

/** The same options with the hint. */
export function expecting(options: KafkaClientOptions, role: ExpectedRole): KafkaClientOptions {
  return Object.assign({ ...options }, { [key]: role });
}

/** The hint in options of a client; null when there is none. */
export function expectedRole(options: KafkaClientOptions): ExpectedRole | null {
  return (options as { readonly [key]?: ExpectedRole } | null)?.[key] ?? null;
}
