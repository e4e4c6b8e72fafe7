// Owns how metadata is asked for: from brokers by Metadata, from controllers by DescribeCluster, whose answer is made into that of Metadata.
// Network thread. Must not decide when to ask. Source: KIP-919

import { UnsupportedVersionError } from '../../common/errors/errors.ts';
import type { MessageBytes } from '../../common/memory.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import type { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { DescribeCluster, Metadata } from '../../protocol/flat/generated/apis.ts';
import { type WireCodec, wireCodec } from '../../protocol/wire/codecs.ts';
import type { NodeApiVersions } from './api-versions.ts';

/** DescribeCluster: from this version on, controllers tell of themselves. */
const controllersVersion = 1;
export const endpointTypes = { brokers: 1, controllers: 2 } as const;

export function metadataCodec(isOfControllers: boolean): WireCodec {
  return wireCodec(isOfControllers ? DescribeCluster.key : Metadata.key);
}

/**
 * The version to ask in. Versions 7 and 8 of Metadata are not used: their leader epochs cannot be trusted (KAFKA-9212), and they
 * add nothing else.
 */
export function metadataVersion(versions: NodeApiVersions, isOfControllers: boolean): number {
  const codec = metadataCodec(isOfControllers);
  const highest = versions.choose(codec, -1);
  if (!isOfControllers) return highest === 7 || highest === 8 ? versions.choose(codec, 6) : highest;
  if (highest >= controllersVersion) return highest;
  throw new UnsupportedVersionError(
    `DescribeCluster version ${controllersVersion} is needed for bootstrapControllers, which Kafka 3.7 and later have; this server has version ${highest}`,
    { apiKey: codec.apiKey },
  );
}

export function writeControllersRequest(writer: FlatWriter): void {
  DescribeCluster.writeRequest(writer, {
    includeClusterAuthorizedOperations: false,
    endpointType: endpointTypes.controllers,
  });
}

/** @param writer has been reset; it writes into `memory` */
export function metadataOfControllers(
  answer: FlatMessage,
  writer: FlatWriter,
  memory: Omit<MessageBytes, 'byteLength'>,
): FlatMessage {
  const { errorCode, clusterId, controllerId, brokers } = DescribeCluster.readResponse(answer);
  const nodes = [...brokers].map(({ brokerId: nodeId, host, port, rack }) => ({ nodeId, host, port, rack }));
  Metadata.writeResponse(writer, { errorCode, clusterId, controllerId, brokers: nodes, topics: [] });
  return new FlatMessage({ ...memory, byteLength: writer.finish() });
}
