// Owns the check of the version matrix that concerns transactions: one that is committed is read, one that is aborted not.
// Runs in the thread that checks.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type Long from 'long';
import { AddPartitionsToTxn, EndTxn, InitProducerId, Produce } from '../../../src/index.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { findCoordinator } from './group-checks.ts';
import { fetch, listOffset } from './record-checks.ts';
import { assertSuccess, type Session, untilCoordinated } from './session.ts';

/** Later versions are for brokers among themselves. */
const newestForClients = 3;

interface Producer {
  producerId: Long;
  producerEpoch: number;
  nextSequence: number;
}

export async function checkTransactions(session: Session): Promise<string> {
  const transactionalId = `transaction-${randomUUID()}`;
  await untilCoordinated('FindCoordinator', () => findCoordinator(session, transactionalId, 1));
  const producer = await initProducer(session, transactionalId);
  const start = await listOffset(session, -1);
  await transact(session, transactionalId, producer, 'aborted', false);
  await transact(session, transactionalId, producer, 'committed', true);
  await waitFor('the transaction to be readable', async () => {
    const values: string[] = [];
    for (const record of await fetch(session, start)) values.push(String(record.value));
    const [last] = values.slice(-1);
    return last === 'committed';
  });
  return 'commit, abort';
}

async function initProducer(session: Session, transactionalId: string): Promise<Producer> {
  let producer: Producer | null = null;
  await untilCoordinated('InitProducerId', async () => {
    const response = await session.send(InitProducerId, { transactionalId, transactionTimeoutMs: 60_000 });
    const { errorCode, producerId, producerEpoch } = response;
    producer = { producerId, producerEpoch, nextSequence: 0 };
    return errorCode;
  });
  return producer!;
}

async function transact(
  session: Session,
  transactionalId: string,
  producer: Producer,
  value: string,
  committed: boolean,
): Promise<void> {
  const { topic: name, topicId } = session;
  const { producerId, producerEpoch } = producer;
  await untilCoordinated('AddPartitionsToTxn', async () => {
    const request = {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name, partitions: [0] }],
    };
    const version = Math.min(newestForClients, session.versionOf(AddPartitionsToTxn));
    const response = await session.send(AddPartitionsToTxn, request, version);
    return response.resultsByTopicV3AndBelow.at(0).resultsByPartition.at(0).partitionErrorCode;
  });
  const batch = {
    records: [{ value }],
    producerId,
    producerEpoch,
    baseSequence: producer.nextSequence,
    isTransactional: true,
  };
  const topicData = [{ name, topicId, partitionData: [{ index: 0, records: batch }] }];
  const produced = await session.send(Produce, { transactionalId, acks: -1, timeoutMs: 10_000, topicData });
  assertSuccess(produced.responses.at(0).partitionResponses.at(0).errorCode, 'Produce in a transaction');
  producer.nextSequence++;
  const ended = await session.send(EndTxn, { transactionalId, producerId, producerEpoch, committed });
  assertSuccess(ended.errorCode, 'EndTxn');
  // From version 5 on every transaction has an epoch of its own.
  if (session.versionOf(EndTxn) < 5) return;
  assert.ok(ended.producerEpoch > producerEpoch || !ended.producerId.equals(producerId));
  Object.assign(producer, { producerId: ended.producerId, producerEpoch: ended.producerEpoch, nextSequence: 0 });
}
