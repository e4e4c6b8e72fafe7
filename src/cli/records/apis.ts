// Owns the APIs that this client knows, by name. Main thread.

import { nearestName } from '../../common/text.ts';
import type { Api } from '../../index.ts';
import type { Context } from '../context.ts';
import { UsageError } from '../exit-codes.ts';

/** All APIs by Kafka's names. */
export async function findApis(context: Context): Promise<ReadonlyMap<string, Api>> {
  const { allApis } = await context.library();
  return new Map((allApis as unknown as readonly Api[]).map((api) => [api.name, api]));
}

/** By name in any case, or by key. Throws UsageError with the nearest name. */
export async function findApi(context: Context, nameOrKey: string): Promise<Api> {
  const apis = await findApis(context);
  for (const api of apis.values()) {
    if (api.name.toLowerCase() === nameOrKey.toLowerCase() || String(api.key) === nameOrKey) return api;
  }
  const near = nearestName(nameOrKey, apis.keys(), Math.max(3, nameOrKey.length >> 1));
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new UsageError(`there is no API '${nameOrKey.slice(0, 80)}'${hint} (\`request --list\` shows all)`);
}
