// Owns whom this thread trusts where no authorities are configured: those that the application thread trusts. Network thread.

import * as tls from 'node:tls';

/** Node has them from 22.19 and 24.5 on. */
type Tls = typeof tls & {
  getCACertificates?(type: 'default'): readonly string[];
  setDefaultCACertificates?(authorities: readonly string[]): void;
};

/** @param authorities null: as Node has them */
export function trust(authorities: readonly string[] | null): void {
  const { getCACertificates, setDefaultCACertificates } = tls as Tls;
  if (authorities === null || setDefaultCACertificates === undefined) return;
  // Mostly they are the same, and then nothing has to be read again.
  const own = new Set(getCACertificates?.('default'));
  if (own.size === authorities.length && authorities.every((one) => own.has(one))) return;
  setDefaultCACertificates(authorities);
}
