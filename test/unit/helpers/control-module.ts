// A rule for addModuleRule, as a test would write one that has to run in the broker's thread.

import type { Decide } from '../../helpers/embedded-broker.ts';

/** Throttles every request of the versions given. */
export function throttleVersions(versions: readonly number[], throttleTimeMs: number): Decide {
  return ({ version }) => (versions.includes(version) ? { throttleTimeMs } : undefined);
}
