// Owns what the checks of the version matrix share: a client of one real broker, its only node, and a topic. Runs in the
// thread that checks.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type Api, errorFor, KafkaClient, Metadata } from '../../../src/index.ts';
import { zeroUuid } from '../../../src/protocol/flat/uuid.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { compareVersions, type KafkaFixture } from '../fixture/index.ts';

/** The fixture's only broker. */
export const node = 1;

export class Session {
  readonly kafka: KafkaFixture;
  readonly client: KafkaClient;
  /** The release, e.g. `0.8.2.2`. */
  readonly release: string;
  readonly topic = `matrix-${randomUUID()}`;
  topicId = zeroUuid;

  private constructor(kafka: KafkaFixture, client: KafkaClient, release: string) {
    this.kafka = kafka;
    this.client = client;
    this.release = release;
  }

  static async open(kafka: KafkaFixture, release: string): Promise<Session> {
    const client = await KafkaClient.start({
      bootstrapServers: kafka.bootstrapServers,
      apiVersionAutoTimeoutMs: 90_000,
      closeTimeoutMs: 0,
    });
    const session = new Session(kafka, client, release);
    try {
      await client.awaitReady(node);
      return session;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.client.close();
  }

  isSince(release: string): boolean {
    return compareVersions(this.release, release) >= 0;
  }

  /** The version that requests use. */
  versionOf(api: Api): number {
    const range = this.client.getApiVersions()!.get(api.key);
    assert.ok(range !== undefined, `Kafka ${this.release} has no ${api.name}`);
    return Math.min(range.max, api.maxVersion);
  }

  async send<Request, Response>(api: Api<Request, Response>, request: Request, version?: number): Promise<Response> {
    return this.client.send(node, api, request, version === undefined ? {} : { version });
  }

  /** Until the topic has a leader; creates it in doing so where brokers do that on metadata requests. */
  async untilLed(topic: string): Promise<string> {
    return waitFor(`a leader of ${topic}`, async () => {
      const version = this.versionOf(Metadata);
      const request = { topics: [{ name: topic }], ...(version >= 4 && { allowAutoTopicCreation: true }) };
      const described = (await this.send(Metadata, request)).topics.at(0);
      if (described.errorCode !== 0 || described.partitions.length === 0) return null;
      const { leaderId, errorCode } = described.partitions.at(0);
      return leaderId === node && errorCode === 0 ? described.topicId : null;
    });
  }
}

/** Fails with Kafka's name and text for the code. */
export function assertSuccess(errorCode: number, what: string): void {
  const error = errorFor(errorCode);
  assert.equal(error, null, `${what}: ${error?.name} ${error?.message}`);
}

/** Repeats while the coordinator is still being set up. */
export async function untilCoordinated(what: string, errorCode: () => Promise<number>): Promise<void> {
  await waitFor(
    what,
    async () => {
      const code = await errorCode();
      if (isCoordinatorNotYet(code)) return false;
      assertSuccess(code, what);
      return true;
    },
    60_000,
  );
}

/** Loading, not available, not its coordinator, or a partition without a leader yet. */
function isCoordinatorNotYet(code: number): boolean {
  return [3, 5, 14, 15, 16, 51].includes(code);
}
