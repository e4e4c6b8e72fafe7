// Owns name look-ups for connections. Network thread. Must not decide which address to use.
//
// The system's look-up runs in the thread pool of the process, where it waits behind the application's own work. If it is late,
// the addresses found before are used again. If there are none, the hosts file and the name servers are asked from this thread.
// The first answer with an address counts. Only the system's answer can say that there is no address.

import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { addressFamily } from '../../common/ip-address.ts';
import { lookUpBesidePool } from './name-servers.ts';

/** Calls back once: with every address of `host`, in the resolver's order, or with the reason why there is none. */
export type Resolve = (host: string, callback: (error: Error | null, addresses: readonly string[]) => void) => void;

export interface ResolverParts {
  readonly lookup: Resolve;
  /** Looks a name up without the thread pool. Returns no address when it does not know the name. */
  readonly lookUpBesidePool: (host: string) => Promise<readonly string[]>;
  /** Calls back after so many ms. It does not keep the process alive. */
  readonly delay: (ms: number, work: () => void) => void;
}

type Waiter = (error: Error | null, addresses: readonly string[]) => void;

interface PendingLookup {
  readonly waiters: Set<Waiter>;
  isLate: boolean;
}

/** A look-up without an answer after this time is late. This is far more than a look-up usually takes. */
const lateMs = 1000;
/** How many names are remembered. Clusters have fewer brokers. */
const maxNames = 1000;
/** How many callers may wait for one name. A caller that has lost interest still counts. */
const maxWaiters = 1000;

export class Resolver {
  readonly #parts: ResolverParts;
  readonly #pending = new Map<string, PendingLookup>();
  /** The last answer for each name, oldest first. */
  readonly #known = new Map<string, readonly string[]>();

  constructor(parts: ResolverParts) {
    this.#parts = parts;
  }

  readonly resolve: Resolve = (host, callback) => {
    if (addressFamily(host) !== 0) {
      callback(null, [host]);
      return;
    }
    let pending = this.#pending.get(host);
    const isNew = pending === undefined;
    pending ??= { waiters: new Set(), isLate: false };
    const waiter: Waiter = (error, addresses) => {
      if (pending.waiters.delete(waiter)) callback(error, addresses);
    };
    pending.waiters.add(waiter);
    if (pending.waiters.size > maxWaiters) pending.waiters.delete(pending.waiters.values().next().value!);
    if (isNew) this.#begin(host, pending);
    else if (pending.isLate) this.#dependOnOthers(host, waiter);
  };

  #begin(host: string, pending: PendingLookup): void {
    this.#pending.set(host, pending);
    this.#parts.lookup(host, (error, addresses) => {
      this.#pending.delete(host);
      if (addresses.length > 0) this.#remember(host, addresses);
      for (const waiter of [...pending.waiters]) waiter(error, addresses);
    });
    this.#parts.delay(lateMs, () => {
      if (this.#pending.get(host) !== pending) return;
      pending.isLate = true;
      for (const waiter of [...pending.waiters]) this.#dependOnOthers(host, waiter);
    });
  }

  #dependOnOthers(host: string, waiter: Waiter): void {
    const known = this.#known.get(host);
    if (known !== undefined) {
      waiter(null, known);
      return;
    }
    this.#parts.lookUpBesidePool(host).then(
      (addresses) => {
        if (addresses.length === 0) return;
        this.#remember(host, addresses);
        waiter(null, addresses);
      },
      () => {
        // The system's answer will come later and say why there is none.
      },
    );
  }

  #remember(host: string, addresses: readonly string[]): void {
    this.#known.delete(host);
    this.#known.set(host, addresses);
    if (this.#known.size > maxNames) this.#known.delete(this.#known.keys().next().value!);
  }
}

const lookUpInPool: Resolve = (host, callback) => {
  lookup(host, { all: true, order: 'verbatim' }, (error, found) => {
    if (error !== null) callback(error, []);
    else
      callback(
        null,
        found.map((entry) => entry.address),
      );
  });
};

export function newResolver(): Resolver {
  const delay = (ms: number, work: () => void): void => {
    setTimeout(work, ms).unref();
  };
  return new Resolver({ lookup: lookUpInPool, lookUpBesidePool, delay });
}

/** The same look-up as a function for Node's sockets. */
export function lookupFor(resolve: Resolve): LookupFunction {
  return (host, { all }, callback) => {
    resolve(host, (error, addresses) => {
      const found = addresses.map((address) => ({ address, family: addressFamily(address) }));
      if (error !== null || found.length === 0) callback(error ?? new Error(`no address for ${host}`), '', 0);
      else if (all === true) callback(null, found);
      else callback(null, found[0]!.address, found[0]!.family);
    });
  };
}
