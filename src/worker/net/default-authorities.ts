// Owns the default certificate authorities of this thread. They are the same as those of the application thread, and count when
// none are configured. Network thread.

import type * as tls from 'node:tls';

/** Node has these functions from 22.19 and 24.5 on. */
type Tls = typeof tls & {
  getCACertificates?(type: 'default'): readonly string[];
  setDefaultCACertificates?(authorities: readonly string[]): void;
};

/** @param authorities null: Node's own defaults */
export function trust(authorities: readonly string[] | null): void {
  if (authorities === null) return;
  const { getCACertificates, setDefaultCACertificates } = process.getBuiltinModule('node:tls') as Tls;
  if (setDefaultCACertificates === undefined) return;
  // Usually both lists are the same. Then nothing has to be set.
  const own = new Set(getCACertificates?.('default'));
  if (own.size === authorities.length && authorities.every((one) => own.has(one))) return;
  setDefaultCACertificates(authorities);
}
