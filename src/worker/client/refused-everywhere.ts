// Owns the check whether every server and broker that this client may ask has refused it. Network thread. Must not change anything.

import { NoBrokersAvailable } from '../../common/errors/errors.ts';
import type { Node } from './node.ts';

/** Every server was tried in vain, and at least one of them has refused a login or a certificate. */
export interface Refusal {
  /** Each of them has failed at this time or later, ms on the monotonic clock. */
  readonly at: number;
  /** Not retriable unless the failure of one of them is. */
  error(): NoBrokersAvailable;
}

/** @param nodes those who may be asked. Null while one of them is ready, was not tried since it last worked, or none has refused. */
export function refusedEverywhere(nodes: readonly Node[]): Refusal | null {
  let at = Number.POSITIVE_INFINITY;
  let hasRefused = false;
  for (const { connection, isReady } of nodes) {
    if (isReady || connection.lastError === null) return null;
    at = Math.min(at, connection.failedAt);
    if (connection.refusedAt !== Number.NEGATIVE_INFINITY) hasRefused = true;
  }
  return hasRefused ? { at, error: () => errorOf(nodes) } : null;
}

function errorOf(nodes: readonly Node[]): NoBrokersAvailable {
  const causes = nodes.map(({ host, port, connection }) => ({ host, port, error: connection.lastError! }));
  const refusal = nodes.find(({ connection }) => connection.refusedAt !== Number.NEGATIVE_INFINITY);
  const reasons = causes.map(({ host, port, error }) => `  ${host}:${port}: ${error.message}`);
  const text = `none of the ${causes.length} servers can be used: login or certificate was refused:\n${reasons.join('\n')}`;
  return new NoBrokersAvailable(text, { causes, cause: refusal!.connection.lastError });
}
