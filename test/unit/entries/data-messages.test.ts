// The data messages of `offthread-kafka/protocol`: Kafka's own bytes are read and written, versions included.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvalidRequestError, KafkaProtocolError } from '../../../src/common/errors/errors.ts';
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  ControlRecordTypeSchema,
  EndTxnMarker,
  LeaderChangeMessage,
  VotersRecord,
} from '../../../src/entries/data-messages.ts';
import * as entry from '../../../src/entries/protocol.ts';
import { wireData } from '../../../src/protocol/wire/generated/index.ts';

const assignmentBytes = Buffer.from(
  '0001' + '00000001' + '0001' + '61' + '00000002' + '00000000' + '00000005' + 'ffffffff',
  'hex',
);

describe('data messages', () => {
  test('an assignment is read from its bytes and written to the same bytes', () => {
    const view = ConsumerProtocolAssignment.decode(assignmentBytes);
    assert.deepEqual(
      view.assignedPartitions.map(({ topic, partitions }) => ({ topic, partitions: partitions.toArray() })),
      [{ topic: 'a', partitions: [0, 5] }],
    );
    assert.equal(view.userData, null);
    const data = { assignedPartitions: [{ topic: 'a', partitions: [0, 5] }] };
    assert.deepEqual(ConsumerProtocolAssignment.encode(data, 1), assignmentBytes);
  });

  test('a subscription keeps what its version has, and drops what it lacks', () => {
    const data = { topics: ['a'], generationId: 7, rackId: 'r' };
    const newest = ConsumerProtocolSubscription.decode(ConsumerProtocolSubscription.encode(data));
    assert.deepEqual([newest.topics.toArray(), newest.generationId, newest.rackId], [['a'], 7, 'r']);
    const oldest = ConsumerProtocolSubscription.decode(ConsumerProtocolSubscription.encode(data, 0));
    assert.deepEqual([oldest.topics.toArray(), oldest.generationId, oldest.rackId], [['a'], -1, null]);
  });

  test('a version that is newer than the known versions is read as the newest known version', () => {
    const bytes = Buffer.concat([ConsumerProtocolSubscription.encode({ topics: ['a'] }), Buffer.from('more')]);
    bytes.writeInt16BE(9);
    assert.deepEqual(ConsumerProtocolSubscription.decode(bytes).topics.toArray(), ['a']);
  });

  test('keys and values of control records are read', () => {
    assert.equal(ControlRecordTypeSchema.decode(Buffer.from('00000001', 'hex')).type, 1);
    assert.equal(EndTxnMarker.decode(Buffer.from('000000000003', 'hex')).coordinatorEpoch, 3);
  });

  test('messages whose first field is the version contain the version once', () => {
    const bytes = LeaderChangeMessage.encode({ leaderId: 3 }, 0);
    assert.equal(bytes.toString('hex'), '000000000003010100');
    assert.equal(LeaderChangeMessage.decode(bytes).leaderId, 3);
    assert.equal(VotersRecord.decode(VotersRecord.encode({ voters: [] })).voters.length, 0);
  });

  test('bytes that are no such message are refused', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(1),
      assignmentBytes.subarray(0, 12),
      Buffer.from('ffff0000', 'hex'),
    ]) {
      assert.throws(() => ConsumerProtocolAssignment.decode(bytes), KafkaProtocolError, bytes.toString('hex'));
    }
  });

  test('a version that does not exist and a value out of range are refused', () => {
    assert.throws(() => ConsumerProtocolAssignment.encode({}, 4), InvalidRequestError);
    assert.throws(() => ConsumerProtocolAssignment.encode({}, 0.5), InvalidRequestError);
    assert.throws(() => EndTxnMarker.encode({ coordinatorEpoch: 2 ** 31 }), InvalidRequestError);
  });

  test('the entry has every data message, at the versions that the codecs have', () => {
    const messages = entry as unknown as Record<string, { minVersion: number; maxVersion: number } | undefined>;
    for (const { name, minVersion, maxVersion } of wireData.values()) {
      const message = messages[name];
      assert.ok(message !== undefined, name);
      assert.deepEqual([message.minVersion, message.maxVersion], [minVersion, maxVersion], name);
    }
  });
});
