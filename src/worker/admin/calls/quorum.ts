// Owns administration calls about features, the metadata quorum and its members. Network thread.
// Source: KIP-584, KIP-595, KIP-836, KIP-853

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { DescribedFeatures, DescribedQuorum, QuorumReplica } from '../../../common/admin/operations.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import { missingInAnswer } from '../../../common/errors/missing-in-answer.ts';
import {
  AddRaftVoter,
  ApiVersions,
  DescribeQuorum,
  RemoveRaftVoter,
  UnregisterBroker,
  UnregisterController,
  UpdateFeatures,
} from '../../../protocol/flat/generated/apis.ts';
import type { DescribeQuorumResponseReplicaStateView } from '../../../protocol/flat/generated/describe-quorum.ts';
import { zeroUuid } from '../../../protocol/flat/uuid.ts';
import { type Call, someBroker } from '../call.ts';
import { type Answer, answerOf, askForItems } from '../items.ts';
import { atController, controller } from '../routes.ts';
import { askAnyBroker, askOnce } from '../whole.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];

/** From this version on, brokers send their features. */
const featuresVersion = 3;

export async function describeFeatures(call: Call): Promise<DescribedFeatures> {
  const request = { clientSoftwareName: 'offthread-kafka', clientSoftwareVersion: 'admin' };
  // Version 5 names a broker, and any other broker would refuse it.
  const versions = { minVersion: featuresVersion, maxVersion: 4 };
  const response = await askOnce(call, 'any', async () => {
    const { response: answer } = await call.send(someBroker, ApiVersions, request, versions);
    return { code: answer.errorCode, answer };
  });
  const finalized = response.finalizedFeatures.map(({ name, minVersionLevel, maxVersionLevel }) => {
    return [name, { minLevel: minVersionLevel, maxLevel: maxVersionLevel }] as const;
  });
  const supported = response.supportedFeatures.map(({ name, minVersion, maxVersion }) => {
    return [name, { minVersion, maxVersion }] as const;
  });
  const epoch = response.finalizedFeaturesEpoch;
  return {
    finalized: Object.fromEntries(finalized),
    supported: Object.fromEntries(supported),
    finalizedEpoch: epoch.isNegative() ? null : epoch,
  };
}

const upgradeTypes = { upgrade: 1, safeDowngrade: 2, unsafeDowngrade: 3 } as const;

export function updateFeatures(
  call: Call,
  { updates, validateOnly }: Args<'updateFeatures'>,
): Promise<PlainResults<string, null>> {
  const byName = new Map(updates.map((update) => [update.feature, update]));
  return askForItems<string, null>(call, [...byName.keys()], {
    target: 'controller',
    isChange: !validateOnly,
    locate: (keys) => atController(call, keys),
    ask: async (to, keys) => {
      const featureUpdates = keys.map((feature) => {
        const { maxVersionLevel, kind = 'upgrade' } = byName.get(feature)!;
        return { feature, maxVersionLevel, allowDowngrade: kind !== 'upgrade', upgradeType: upgradeTypes[kind] };
      });
      const versions = validateOnly ? { minVersion: 1 } : {};
      const request = { timeoutMs: call.brokerWaitMs, featureUpdates, validateOnly };
      const { response } = await call.send(to, UpdateFeatures, request, versions);
      const { errorCode, errorMessage } = response;
      if (errorCode !== 0) return new Map(keys.map((key) => [key, { errorCode, errorMessage }]));
      // From version 2 on, all updates succeed or fail together, and the response does not list them.
      const answers = new Map<string, Answer<null>>(keys.map((key) => [key, { value: null }]));
      for (const result of response.results)
        answers.set(
          result.feature,
          answerOf(result, () => null),
        );
      return answers;
    },
  });
}

const metadataTopic = '__cluster_metadata';

export async function describeMetadataQuorum(call: Call): Promise<DescribedQuorum> {
  const request = { topics: [{ topicName: metadataTopic, partitions: [{ partitionIndex: 0 }] }] };
  const quorum = await askOnce(call, 'controller', async () => {
    const { response } = await call.send(someBroker, DescribeQuorum, request);
    const topic = response.topics.find(({ topicName }) => topicName === metadataTopic);
    const answer = topic?.partitions.find(({ partitionIndex }) => partitionIndex === 0);
    const code = response.errorCode || (answer?.errorCode ?? 0);
    return { code, message: response.errorMessage, answer };
  });
  if (quorum === undefined) throw missingInAnswer(DescribeQuorum, `partition 0 of topic '${metadataTopic}'`);
  return {
    leaderId: quorum.leaderId,
    leaderEpoch: quorum.leaderEpoch,
    highWatermark: quorum.highWatermark,
    voters: quorum.currentVoters.map(replicaOf),
    observers: quorum.observers.map(replicaOf),
  };
}

function replicaOf(replica: DescribeQuorumResponseReplicaStateView): QuorumReplica {
  return {
    replicaId: replica.replicaId,
    directoryId: replica.replicaDirectoryId === zeroUuid ? null : replica.replicaDirectoryId,
    logEndOffset: replica.logEndOffset,
    lastFetchTimestampMs: replica.lastFetchTimestamp,
    lastCaughtUpTimestampMs: replica.lastCaughtUpTimestamp,
  };
}

export async function addRaftVoter(call: Call, args: Args<'addRaftVoter'>): Promise<null> {
  const { clusterId, voterId, directoryId, listeners } = args;
  const about = { clusterId, voterId, voterDirectoryId: directoryId, listeners };
  await askOnce(call, 'controller', async () => {
    const request = { ...about, timeoutMs: call.brokerWaitMs };
    const { response } = await call.send(await controller(call), AddRaftVoter, request);
    return { code: response.errorCode, message: response.errorMessage, answer: null };
  });
  return null;
}

export async function removeRaftVoter(call: Call, args: Args<'removeRaftVoter'>): Promise<null> {
  const request = { clusterId: args.clusterId, voterId: args.voterId, voterDirectoryId: args.directoryId };
  await askOnce(call, 'controller', async () => {
    const { response } = await call.send(await controller(call), RemoveRaftVoter, request);
    return { code: response.errorCode, message: response.errorMessage, answer: null };
  });
  return null;
}

export async function unregisterBroker(call: Call, { brokerId }: Args<'unregisterBroker'>): Promise<null> {
  await askOnce(call, 'controller', async () => {
    const { response } = await call.send(someBroker, UnregisterBroker, { brokerId });
    return { code: response.errorCode, message: response.errorMessage, answer: null };
  });
  return null;
}

export async function unregisterController(call: Call, { controllerId }: Args<'unregisterController'>): Promise<null> {
  await askAnyBroker(call, UnregisterController, { controllerId });
  return null;
}
