// Owns what a client that cannot be opened leaves behind: nothing. Application thread.

import type { Session } from './session.ts';

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
