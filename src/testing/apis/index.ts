// Owns the list of APIs that an embedded broker serves by itself. Runs in the broker's thread. Any other API can be
// announced (`apiVersions` of the options) and answered by a rule with a body.

import type { Api } from '../../protocol/flat/api.ts';
import { allApis } from '../../protocol/flat/generated/apis.ts';
import type { AnyHandler } from '../handler.ts';
import { addOffsetsToTxn } from './add-offsets-to-txn.ts';
import { addPartitionsToTxn } from './add-partitions-to-txn.ts';
import { apiVersions } from './api-versions.ts';
import { consumerGroupDescribe } from './consumer-group-describe.ts';
import { consumerGroupHeartbeat } from './consumer-group-heartbeat.ts';
import { createTopics } from './create-topics.ts';
import { deleteRecords } from './delete-records.ts';
import { deleteTopics } from './delete-topics.ts';
import { endTxn } from './end-txn.ts';
import { fetch } from './fetch.ts';
import { findCoordinator } from './find-coordinator.ts';
import { heartbeat } from './heartbeat.ts';
import { initProducerId } from './init-producer-id.ts';
import { joinGroup } from './join-group.ts';
import { leaveGroup } from './leave-group.ts';
import { listOffsets } from './list-offsets.ts';
import { metadata } from './metadata.ts';
import { offsetCommit } from './offset-commit.ts';
import { offsetFetch } from './offset-fetch.ts';
import { offsetForLeaderEpoch } from './offset-for-leader-epoch.ts';
import { produce } from './produce.ts';
import { syncGroup } from './sync-group.ts';
import { txnOffsetCommit } from './txn-offset-commit.ts';

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
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  deleteRecords,
  offsetForLeaderEpoch,
  addOffsetsToTxn,
  addPartitionsToTxn,
  endTxn,
  heartbeat,
  initProducerId,
  joinGroup,
  leaveGroup,
  offsetCommit,
  offsetFetch,
  syncGroup,
  txnOffsetCommit,
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
