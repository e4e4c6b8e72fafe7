// Owns administration calls about the cluster as a whole. Network thread. Source: KIP-430, KIP-700, KIP-919, KIP-1073

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { DescribedCluster } from '../../../common/admin/cluster.ts';
import { UnsupportedVersionError } from '../../../common/errors/errors.ts';
import { DescribeCluster, Metadata } from '../../../protocol/flat/generated/apis.ts';
import { endpointTypes } from '../../client/metadata-source.ts';
import { operationsOf } from '../authorized-operations.ts';
import type { Call } from '../call.ts';
import { askAnyBroker } from '../whole.ts';

/** From this version on, fenced brokers can be requested (KIP-1073). */
const fencedBrokersVersion = 2;
/** The versions of Metadata that have the operations. */
const minOperationsVersion = 8;
const maxOperationsVersion = 10;

export async function describeCluster(
  call: Call,
  { includeFencedBrokers, includeAuthorizedOperations }: AdminCalls['describeCluster']['args'],
): Promise<DescribedCluster> {
  const isAsked = includeAuthorizedOperations;
  const endpointType = call.isByControllers ? endpointTypes.controllers : endpointTypes.brokers;
  const request = { includeClusterAuthorizedOperations: isAsked, endpointType, includeFencedBrokers };
  try {
    const versions = includeFencedBrokers ? { minVersion: fencedBrokersVersion } : {};
    const { response } = await askAnyBroker(call, DescribeCluster, request, versions);
    return {
      clusterId: response.clusterId,
      controllerId: response.controllerId,
      brokers: response.brokers.map(({ brokerId, host, port, rack, isFenced }) => {
        return { nodeId: brokerId, host, port, rack, isFenced };
      }),
      authorizedOperations: operationsOf(response.clusterAuthorizedOperations, isAsked),
    };
  } catch (error) {
    // Brokers before 2.8 do not have DescribeCluster, so Metadata is used.
    if (!(error instanceof UnsupportedVersionError) || includeFencedBrokers) throw error;
    const older = { topics: [], allowAutoTopicCreation: false, includeClusterAuthorizedOperations: isAsked };
    const versions = isAsked ? { minVersion: minOperationsVersion, maxVersion: maxOperationsVersion } : {};
    const { response } = await askAnyBroker(call, Metadata, older, versions);
    return {
      clusterId: response.clusterId,
      controllerId: response.controllerId,
      brokers: response.brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack, isFenced: false })),
      authorizedOperations: operationsOf(response.clusterAuthorizedOperations, isAsked),
    };
  }
}
