// Owns what whoever starts a client tells of its use: which role comes, so that the network thread loads its code while it connects, how to open
// it meanwhile, and whether the application sends requests of its own. Application thread.

import type { KafkaClientOptions } from './config/config.ts';
import type { ExpectedRole } from './control.ts';

/** No option that applications can write by chance. */
const key = Symbol('expected role');

export interface Expected<Host> {
  /** Null: it is not known, or there is none. */
  readonly role: ExpectedRole | null;
  /** Whether requests are sent by the client itself, other than Metadata; default false. */
  readonly sendsRequests?: boolean;
  /** Opens the role. Called while the client starts; the network thread gets the call behind that for the start. */
  readonly open?: (host: Host) => Promise<unknown>;
}

/** The same options with what is expected. */
export function expecting<Host, Options extends KafkaClientOptions>(
  options: Options,
  expected: Expected<Host>,
): Options {
  return Object.assign({ ...options }, { [key]: expected });
}

/** The role that is expected by options of a client; null when none is. */
export function expectedRole(options: KafkaClientOptions): ExpectedRole | null {
  return expectedBy(options)?.role ?? null;
}

/** Whether a client with these options may send any request. Without another word it may. */
export function expectsRequests(options: KafkaClientOptions): boolean {
  const expected = expectedBy(options);
  return expected === null || (expected.sendsRequests ?? false);
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
