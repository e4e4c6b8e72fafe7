// Owns the search for the brokers of items: the controller, a partition's leader, a coordinator, every broker. Network thread. Must
// not decide what follows from errors: items.ts does.

import { KafkaProtocolError } from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import { FindCoordinator, Metadata } from '../../protocol/flat/generated/apis.ts';
import type { MetadataResponseTopicView } from '../../protocol/flat/generated/metadata.ts';
import { anyBroker, type Destination } from '../client/broker-requests.ts';
import { maxBrokers } from '../client/metadata.ts';
import { broker, type Call, someBroker } from './call.ts';
import type { Answer, Located } from './items.ts';
import { askAnyBroker } from './whole.ts';

/** Sends all items to any broker. */
export async function atAnyBroker<K>(keys: readonly K[]): Promise<Located<K, never>> {
  return { groups: [{ to: someBroker, keys }] };
}

/** Sends all items to the controller. With KRaft every broker forwards requests, and Metadata names one of the brokers. */
export async function atController<K>(call: Call, keys: readonly K[]): Promise<Located<K, never>> {
  return { groups: [{ to: await controller(call), keys }] };
}

export async function controller(call: Call): Promise<Destination> {
  if (call.isByControllers) return someBroker;
  const { response } = await call.send(someBroker, Metadata, { topics: [], allowAutoTopicCreation: false });
  const { controllerId } = response;
  return broker(controllerId >= 0 ? controllerId : anyBroker);
}

/** The ids of all brokers in metadata. */
export async function allBrokers(call: Call): Promise<number[]> {
  const { response } = await askAnyBroker(call, Metadata, { topics: [], allowAutoTopicCreation: false });
  const ids = new Set(response.brokers.map(({ nodeId }) => nodeId));
  if (ids.size > maxBrokers) {
    const text = `the metadata response lists ${ids.size} brokers; this client asks no more than ${maxBrokers}`;
    throw new KafkaProtocolError(text);
  }
  return [...ids].sort((a, b) => a - b);
}

/** Sends each partition to its leader, by metadata that is requested now. */
export async function atLeaders<K, V>(
  call: Call,
  keys: readonly K[],
  partitionOf: (key: K) => { readonly topic: string; readonly partition: number },
): Promise<Located<K, V>> {
  const topics = [...new Set(keys.map((key) => partitionOf(key).topic))].map((name) => ({ name }));
  const { response } = await call.send(someBroker, Metadata, { topics, allowAutoTopicCreation: false });
  const byName = new Map(response.topics.map((topic) => [topic.name, placesIn(topic)]));
  const groups = new Map<number, K[]>();
  const answers: (readonly [K, Answer<V>])[] = [];
  for (const key of keys) {
    const { topic, partition } = partitionOf(key);
    const described = byName.get(topic);
    const found = described?.partitions.get(partition);
    // A partition that is missing gets the error for an unknown partition: it may appear later.
    const errorCode = described?.errorCode || found?.errorCode || (found === undefined ? 3 : 0);
    const leader = found?.leaderId ?? -1;
    if (leader >= 0) append(groups, leader, key);
    else answers.push([key, { errorCode: errorCode === 0 ? errorCodes.LEADER_NOT_AVAILABLE : errorCode }]);
  }
  return { groups: groupsAt(groups), answers };
}

interface PlacesOfTopic {
  readonly errorCode: number;
  readonly partitions: ReadonlyMap<number, { readonly leaderId: number; readonly errorCode: number }>;
}

/** Of a partition that is named twice the first counts. */
function placesIn({ errorCode, partitions: named }: MetadataResponseTopicView): PlacesOfTopic {
  const partitions = new Map<number, { readonly leaderId: number; readonly errorCode: number }>();
  for (const { partitionIndex, leaderId, errorCode: code } of named) {
    if (!partitions.has(partitionIndex)) partitions.set(partitionIndex, { leaderId, errorCode: code });
  }
  return { errorCode, partitions };
}

const batchedVersion = 4;

/** Sends each key to its coordinator. @param keyType 0: group, 1: transactional id */
export async function atCoordinators<V>(
  call: Call,
  keys: readonly string[],
  keyType: 0 | 1,
): Promise<Located<string, V>> {
  const groups = new Map<number, string[]>();
  const answers: (readonly [string, Answer<V>])[] = [];
  const note = (key: string, nodeId: number, errorCode: number, errorMessage: string | null): void => {
    if (errorCode !== 0) answers.push([key, { errorCode, errorMessage }]);
    else if (nodeId < 0) answers.push([key, { errorCode: errorCodes.COORDINATOR_NOT_AVAILABLE }]);
    else append(groups, nodeId, key);
  };
  // Brokers that do not know several keys (KIP-699) are asked for one key at a time.
  const newer = { keyType, coordinatorKeys: keys };
  const older = { keyType, key: keys[0]! };
  const requests = { newerSince: batchedVersion, newer, older };
  const { response, version } = await call.sendEither(someBroker, FindCoordinator, requests);
  if (version >= batchedVersion) {
    // What was not asked for is passed over, and of what is named twice the first counts.
    const wanted = new Set(keys);
    for (const found of response.coordinators)
      if (wanted.delete(found.key)) note(found.key, found.nodeId, found.errorCode, found.errorMessage);
    return { groups: groupsAt(groups), answers };
  }
  note(keys[0]!, response.nodeId, response.errorCode, response.errorMessage);
  for (const key of keys.slice(1)) {
    const one = { keyType, key };
    const answer = await call.send(someBroker, FindCoordinator, one, { maxVersion: batchedVersion - 1 });
    note(key, answer.response.nodeId, answer.response.errorCode, answer.response.errorMessage);
  }
  return { groups: groupsAt(groups), answers };
}

function append<K>(groups: Map<number, K[]>, brokerId: number, key: K): void {
  const list = groups.get(brokerId);
  if (list === undefined) groups.set(brokerId, [key]);
  else list.push(key);
}

function groupsAt<K>(groups: ReadonlyMap<number, readonly K[]>): { to: Destination; keys: readonly K[] }[] {
  return [...groups].map(([brokerId, keys]) => ({ to: broker(brokerId), keys }));
}
