// Owns the loading of the peers' encoders and decoders, and the types of the used parts. Main thread.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A version of each API that all three clients support: the newest one of kafkajs. */
export const fetchVersion = 11;
export const produceVersion = 7;

export interface PlainRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly timestamp: number;
}

export interface KafkajsMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface Kafkajs {
  readonly version: string;
  decodeFetch(body: Buffer): Promise<{ responses: { partitions: { messages: KafkajsMessage[] }[] }[] }>;
  /** The messages in the form that it takes. They are made outside of the measured time. */
  messages(records: readonly PlainRecord[]): unknown[];
  encodeProduce(messages: readonly unknown[]): Promise<Buffer>;
}

export interface PlatformaticRecord {
  readonly offsetDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface Platformatic {
  readonly version: string;
  decodeFetch(body: Buffer): {
    responses: { partitions: { records: { firstOffset: bigint; records: PlatformaticRecord[] }[] }[] }[];
  };
  messages(records: readonly PlainRecord[]): unknown[];
  encodeProduce(messages: unknown[]): Buffer;
}

/** @param folder with the peers' node_modules */
export function loadKafkajs(folder: string): Kafkajs {
  const require = createRequire(join(folder, 'package.json'));
  const { decode } = require(`kafkajs/src/protocol/requests/fetch/v${fetchVersion}/response`);
  const request = require(`kafkajs/src/protocol/requests/produce/v${produceVersion}/request`);
  const { version } = require('kafkajs/package.json') as { version: string };
  return {
    version,
    decodeFetch: (body) => decode(body),
    messages: (records) => records.map((record) => ({ ...record })),
    async encodeProduce(messages) {
      const topicData = [{ topic: 'topic', partitions: [{ partition: 0, messages }] }];
      return (await request({ acks: -1, timeout: 1000, topicData }).encode()).buffer;
    },
  };
}

interface PlatformaticModule {
  readonly Reader: { from(bytes: Buffer): unknown };
  readonly [api: string]: unknown;
}

interface PlatformaticApi {
  parseResponse(correlationId: number, apiKey: number, apiVersion: number, reader: unknown): never;
  createRequest(acks: number, timeout: number, messages: unknown[]): { buffer: Buffer };
}

/** @param folder with the peers' node_modules */
export async function loadPlatformatic(folder: string): Promise<Platformatic> {
  const require = createRequire(join(folder, 'package.json'));
  const path = require.resolve('@platformatic/kafka');
  const module = (await import(pathToFileURL(path).href)) as PlatformaticModule;
  const { version } = require(join(path, '../../package.json')) as { version: string };
  const fetchApi = module[`fetchV${fetchVersion}`] as PlatformaticApi;
  const produceApi = module[`produceV${produceVersion}`] as PlatformaticApi;
  return {
    version,
    decodeFetch: (body) => fetchApi.parseResponse(1, 1, fetchVersion, module.Reader.from(body)),
    messages: (records) =>
      records.map(({ timestamp, ...rest }) => ({
        topic: 'topic',
        partition: 0,
        ...rest,
        timestamp: BigInt(timestamp),
      })),
    encodeProduce: (messages) => produceApi.createRequest(-1, 1000, messages).buffer,
  };
}
