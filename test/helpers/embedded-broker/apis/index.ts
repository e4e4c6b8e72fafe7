// Owns the list of APIs that an embedded broker serves by itself. Runs in the broker's thread. Any other API can be
// announced (`apiVersions` of the options) and answered by a rule with a body.

import type { Api } from '../../../../src/protocol/flat/api.ts';
import { allApis } from '../../../../src/protocol/flat/generated/apis.ts';
import type { AnyHandler } from '../handler.ts';
import { apiVersions } from './api-versions.ts';
import { createTopics } from './create-topics.ts';
import { deleteTopics } from './delete-topics.ts';
import { fetch } from './fetch.ts';
import { findCoordinator } from './find-coordinator.ts';
import { listOffsets } from './list-offsets.ts';
import { metadata } from './metadata.ts';
import { produce } from './produce.ts';

// Each handler is called with requests of its own API only, which the element type of the list cannot say.
export const servedApis = [
  produce,
  fetch,
  listOffsets,
  metadata,
  findCoordinator,
  apiVersions,
  createTopics,
  deleteTopics,
] as readonly unknown[] as readonly AnyHandler[];

const handlers = new Map<number, AnyHandler>(servedApis.map((handler) => [handler.api.key, handler]));

/** The handler of an API; for one that is not served itself, one that ends the connection unless a rule answers. */
export function handlerOf(apiKey: number): AnyHandler | null {
  const served = handlers.get(apiKey);
  if (served !== undefined) return served;
  const api = allApis.find(({ key }) => key === apiKey);
  return api === undefined ? null : unserved(api as unknown as Api);
}

function unserved(api: Api): AnyHandler {
  return { api, handle: () => 'close', failure: (_context, _request, errorCode) => ({ errorCode }) };
}
