// Owns the list of APIs that an embedded broker serves by itself. Runs in the broker's thread. Any other API can be
// announced (`apiVersions` of the options) and answered by a rule with a body.

import type { Api } from '../../protocol/flat/api.ts';
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
import { getTelemetrySubscriptions } from './get-telemetry-subscriptions.ts';
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
import { pushTelemetry } from './push-telemetry.ts';
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

/** The APIs of clusters that want metrics of their clients. */
export const metricsApis = [getTelemetrySubscriptions, pushTelemetry] as readonly unknown[] as readonly AnyHandler[];

const handlers = new Map<number, AnyHandler>(
  [...servedApis, ...metricsApis].map((handler) => [handler.api.key, handler]),
);

/** The APIs that are not served, once a request of one of them has come: they are most of the code, and few clusters need them. */
let others: ReadonlyMap<number, AnyHandler> | null = null;

/** Loads what `handlerOf` needs for this API; undefined when it is there. */
export function loadHandler(apiKey: number): Promise<void> | undefined {
  return handlers.has(apiKey) || others !== null ? undefined : loadOthers();
}

async function loadOthers(): Promise<void> {
  const { allApis } = await import('../../protocol/flat/generated/apis.ts');
  others = new Map(allApis.map((api) => [api.key, unserved(api as unknown as Api)]));
}

/**
 * The handler of an API; for one that is not served itself, one that ends the connection unless a rule answers. Null for an API that there is
 * not. `loadHandler` must have loaded it.
 */
export function handlerOf(apiKey: number): AnyHandler | null {
  return handlers.get(apiKey) ?? others?.get(apiKey) ?? null;
}

function unserved(api: Api): AnyHandler {
  return { api, handle: () => 'close', failure: (_context, _request, errorCode) => ({ errorCode }) };
}
