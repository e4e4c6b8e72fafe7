// Owns how a client is opened, and what one that cannot be opened leaves behind: nothing. Application thread.

import type { KafkaClientOptions } from '../../common/config/config.ts';
import type { VersionInfo } from '../../common/control.ts';
import { expectsRequests, openMeanwhile } from '../../common/expected-role.ts';
import { loadMessages } from '../../protocol/flat/late-messages.ts';
import { untilAborted } from '../link/abort-signals.ts';
import type { Session } from './session.ts';

/**
 * Begins a client with its own network thread. The code of messages is loaded meanwhile, and what the options expect is opened.
 * @param options with what `expecting` has added
 */
export async function begun(
  session: Session,
  signal: AbortSignal | null,
  options: KafkaClientOptions,
): Promise<VersionInfo> {
  const start = untilAborted('the start', signal, () => session.start<VersionInfo>((control) => control.start()));
  // Nobody sends requests by the client of a producer or consumer that was started alone.
  const messages = expectsRequests(options) ? loadMessages() : null;
  const [versions] = await Promise.all([openMeanwhile(options, session.roles, start), messages]);
  return versions;
}

/** The client once `begin` is over. If `begin` fails, its session is closed first. */
export async function opened<Client>(client: Client, session: Session, begin: () => Promise<unknown>): Promise<Client> {
  try {
    await begin();
    session.drain();
    return client;
  } catch (error) {
    await session.close();
    throw error;
  }
}
