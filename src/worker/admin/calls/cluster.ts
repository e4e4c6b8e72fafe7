// Owns administration calls about the cluster as a whole. Network thread. Source: KIP-700, KIP-919, KIP-1073

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { DescribedCluster } from '../../../common/admin/cluster.ts';
import { errorFor } from '../../../common/errors/error-for.ts';
import { UnsupportedVersionError } from '../../../common/errors/errors.ts';
import { DescribeCluster, Metadata } from '../../../protocol/flat/generated/apis.ts';
import { type Call, someBroker } from '../call.ts';

/** From this version on, fenced brokers can be requested (KIP-1073). */
const fencedBrokersVersion = 2;

export async function describeCluster(
  call: Call,
  { includeFencedBrokers }: AdminCalls['describeCluster']['args'],
): Promise<DescribedCluster> {
  const request = { includeClusterAuthorizedOperations: false, endpointType: 1, includeFencedBrokers };
  try {
    const versions = includeFencedBrokers ? { minVersion: fencedBrokersVersion } : {};
    const { response } = await call.send(someBroker, DescribeCluster, request, versions);
    const error = errorFor(response.errorCode);
    if (error !== null) throw error;
    return {
      clusterId: response.clusterId,
      controllerId: response.controllerId,
      brokers: response.brokers.map(({ brokerId, host, port, rack, isFenced }) => {
        return { nodeId: brokerId, host, port, rack, isFenced };
      }),
    };
  } catch (error) {
    // Brokers before 2.8 do not have DescribeCluster, so Metadata is used.
    if (!(error instanceof UnsupportedVersionError) || includeFencedBrokers) throw error;
    const { response } = await call.send(someBroker, Metadata, { topics: [], allowAutoTopicCreation: false });
    return {
      clusterId: response.clusterId,
      controllerId: response.controllerId,
      brokers: response.brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack, isFenced: false })),
    };
  }
}
