// Owns name look-ups for connections. Network thread. Must not decide which address to use.

import { lookup } from 'node:dns';
import { isIP } from 'node:net';

/** Calls back once with every address of `host`, in the resolver's order, or with the reason there is none. */
export type Resolve = (host: string, callback: (error: Error | null, addresses: readonly string[]) => void) => void;

export const resolveWithDns: Resolve = (host, callback) => {
  if (isIP(host) !== 0) {
    callback(null, [host]);
    return;
  }
  lookup(host, { all: true, order: 'verbatim' }, (error, found) => {
    if (error !== null) callback(error, []);
    else
      callback(
        null,
        found.map((entry) => entry.address),
      );
  });
};
