// Owns the hints that responses carry about the cluster: the leader that a broker names instead of itself and its address
// (KIP-951), and the address of a coordinator. Runs on both sides: the network thread learns addresses and epochs from it,
// the application that asked learns the leader. Must not decide what is newer.

import type { Api } from './api.ts';
import { Fetch, FindCoordinator, Produce, ShareAcknowledge, ShareFetch } from './generated/apis.ts';
import type { FetchResponseView } from './generated/fetch.ts';
import type { FindCoordinatorResponseView } from './generated/find-coordinator.ts';
import type { ProduceResponseView } from './generated/produce.ts';
import type { ShareAcknowledgeResponseView } from './generated/share-acknowledge.ts';
import type { ShareFetchResponseView } from './generated/share-fetch.ts';
import { zeroUuid } from './uuid.ts';

/** Brokers that metadata does not know are taken from other responses until the next refresh: so many, and no more. */
export const maxNamedInPassing = 1000;

/** A partition's leader, as told by a broker that no longer leads it. */
export interface LeaderHint {
  /** Empty when the response names topics by id. */
  readonly topic: string;
  /** All zero when it names them by name. */
  readonly topicId: string;
  readonly partition: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface BrokerHint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface ClusterHints {
  readonly brokers: readonly BrokerHint[];
  readonly leaders: readonly LeaderHint[];
}

type LeaderView = { readonly leaderId: number; readonly leaderEpoch: number };
type FetchLikeView = FetchResponseView | ShareFetchResponseView | ShareAcknowledgeResponseView;

type HintingApi = Pick<Api, 'key' | 'readResponse'>;

const readers = new Map<HintingApi, (response: unknown) => ClusterHints | null>([
  [Produce, (response) => ofProduce(response as ProduceResponseView)],
  [Fetch, (response) => ofFetch(response as FetchResponseView)],
  [ShareFetch, (response) => ofFetch(response as ShareFetchResponseView)],
  [ShareAcknowledge, (response) => ofFetch(response as ShareAcknowledgeResponseView)],
  [FindCoordinator, (response) => ofFindCoordinator(response as FindCoordinatorResponseView)],
]);

/** The APIs whose responses can hold hints, by key. */
export const apisWithHints: ReadonlyMap<number, HintingApi> = new Map([...readers.keys()].map((api) => [api.key, api]));

/**
 * @param api      one of the client's own; one that an application has made tells nothing
 * @param response its response view
 * @returns null when there is nothing to learn, which costs a look at one field
 */
export function clusterHintsOf(api: object, response: unknown): ClusterHints | null {
  return readers.get(api as HintingApi)?.(response) ?? null;
}

/** Brokers send addresses whenever they name a leader, and only then. */
function ofProduce(response: ProduceResponseView): ClusterHints | null {
  if (response.nodeEndpoints.length === 0) return null;
  const leaders: LeaderHint[] = [];
  for (const { name, topicId, partitionResponses } of response.responses) {
    for (const { index, currentLeader } of partitionResponses) addLeader(leaders, name, topicId, index, currentLeader);
  }
  return { brokers: endpointsOf(response), leaders };
}

function ofFetch(response: FetchLikeView): ClusterHints | null {
  if (response.nodeEndpoints.length === 0) return null;
  const leaders: LeaderHint[] = [];
  for (const row of response.responses) {
    const topic = 'topic' in row ? row.topic : '';
    for (const { partitionIndex, currentLeader } of row.partitions)
      addLeader(leaders, topic, row.topicId, partitionIndex, currentLeader);
  }
  return { brokers: endpointsOf(response), leaders };
}

function ofFindCoordinator(response: FindCoordinatorResponseView): ClusterHints | null {
  // From version 4 on there is a list; before, the answer is the response itself.
  const answers = response.coordinators.length > 0 ? response.coordinators : [response];
  const brokers: BrokerHint[] = [];
  for (const { errorCode, nodeId, host, port } of answers) {
    if (errorCode === 0 && nodeId >= 0 && host !== '') brokers.push({ nodeId, host, port, rack: null });
  }
  return brokers.length === 0 ? null : { brokers, leaders: [] };
}

function addLeader(
  leaders: LeaderHint[],
  topic: string,
  topicId: string,
  partition: number,
  { leaderId, leaderEpoch }: LeaderView,
): void {
  if (leaderId < 0 || leaderEpoch < 0 || (topic === '' && topicId === zeroUuid)) return;
  leaders.push({ topic, topicId, partition, leaderId, leaderEpoch });
}

function endpointsOf(response: ProduceResponseView | FetchLikeView): BrokerHint[] {
  const brokers: BrokerHint[] = [];
  for (const { nodeId, host, port, rack } of response.nodeEndpoints) {
    if (nodeId >= 0 && host !== '') brokers.push({ nodeId, host, port, rack });
  }
  return brokers;
}
