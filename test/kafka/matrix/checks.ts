// Owns the list of what every broker version is checked for, in order: each check builds on those before it. Runs in the
// thread that checks; used by the tests of the matrix and by the script that prints it.

import assert from 'node:assert/strict';
import { CreateTopics, DeleteTopics, KafkaClient, Metadata } from '../../../src/index.ts';
import { zeroUuid } from '../../../src/protocol/flat/uuid.ts';
import { patient } from '../../helpers/patience.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { checkGroup } from './group-checks.ts';
import { checkOffsets, checkRecords } from './record-checks.ts';
import { assertSuccess, node, type Session } from './session.ts';
import { checkTransactions } from './transaction-checks.ts';

export interface Check {
  /** Heading of its column. */
  readonly name: string;
  /** First release that has what is checked. */
  readonly since: string;
  /** Returns what stands in the table. */
  run(session: Session): Promise<string>;
}

/** One release of each minor version, oldest first. */
export const matrixReleases = (
  '0.8.2.2 0.9.0.1 0.10.0.1 0.10.1.1 0.10.2.2 0.11.0.3 1.0.2 1.1.1 2.0.1 2.1.1 2.2.2 2.3.1 2.4.1 2.5.1 2.6.3 2.7.2 2.8.2 ' +
  '3.0.2 3.1.2 3.2.3 3.3.2 3.4.1 3.5.2 3.6.2 3.7.2 3.8.1 3.9.1 4.0.0 4.1.0 4.2.0 4.3.0 4.4.0'
).split(' ');

/** What the version of a release is known as, e.g. `[2, 8]`. */
function versionOf(release: string): readonly number[] {
  const parts = release.split('.').map(Number);
  if (parts[0] !== 0) return parts.slice(0, 2);
  return parts[1] === 8 || parts[1] === 10 ? parts.slice(0, 3) : parts.slice(0, 2);
}

/** What it looks like from outside: brokers of 3.4 without ZooKeeper offer clients what 3.3 did. */
function expectedVersion(release: string): readonly number[] {
  const version = versionOf(release);
  return version.join('.') === '3.4' ? [3, 3] : version;
}

export const checks: readonly Check[] = [
  { name: 'recognised as', since: '0.8.2', run: checkRecognition },
  { name: 'with apiVersion', since: '0.8.2', run: checkConfigured },
  { name: 'topic', since: '0.8.2', run: checkTopic },
  { name: 'records', since: '0.8.2', run: checkRecords },
  { name: 'offsets', since: '0.8.2', run: checkOffsets },
  { name: 'groups', since: '0.8.2', run: checkGroup },
  { name: 'transactions', since: '0.11', run: checkTransactions },
  { name: 'delete', since: '0.10.1', run: checkDeletion },
];

async function checkRecognition({ client, release }: Session): Promise<string> {
  assert.deepEqual(client.apiVersion, expectedVersion(release));
  return client.apiVersion!.join('.');
}

/** A client that was told the version starts without asking, and its first request is answered. */
async function checkConfigured({ kafka, release }: Session): Promise<string> {
  const apiVersion = [...versionOf(release)];
  const client = await KafkaClient.start({
    ...patient,
    bootstrapServers: kafka.bootstrapServers,
    apiVersion,
    closeTimeoutMs: 0,
  });
  try {
    assert.deepEqual(client.apiVersion, apiVersion);
    await client.awaitReady(-1);
    const response = await client.send(-1, Metadata, { topics: [] });
    assert.deepEqual(
      response.brokers.map(({ nodeId }) => nodeId),
      [node],
    );
    return 'yes';
  } finally {
    await client.close();
  }
}

async function checkTopic(session: Session): Promise<string> {
  const { topic } = session;
  if (!session.isSince('0.10.1')) {
    session.topicId = await session.untilLed(topic);
    return 'by metadata';
  }
  const topics = [{ name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
  const response = await session.send(CreateTopics, { topics, timeoutMs: 10_000 });
  assertSuccess(response.topics.at(0).errorCode, 'CreateTopics');
  session.topicId = await session.untilLed(topic);
  return 'created';
}

async function checkDeletion(session: Session): Promise<string> {
  const { topic } = session;
  const version = session.versionOf(DeleteTopics);
  const which = version >= 6 ? { topics: [{ name: topic, topicId: zeroUuid }] } : { topicNames: [topic] };
  const response = await session.send(DeleteTopics, { ...which, timeoutMs: 10_000 });
  assertSuccess(response.responses.at(0).errorCode, 'DeleteTopics');
  const metadataVersion = session.versionOf(Metadata);
  await waitFor(`the end of ${topic}`, async () => {
    // Every topic, since naming it might make it anew.
    const all = await session.send(Metadata, { topics: metadataVersion >= 1 ? null : [] });
    return [...all.topics].every(({ name }) => name !== topic);
  });
  return 'yes';
}
