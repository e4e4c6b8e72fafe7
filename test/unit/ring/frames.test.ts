// The numbers of frame kinds: both sides of an attachment are built together, so only their consistency matters.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as frames from '../../../src/ring/frames.ts';

const kinds = [
  frames.SEND,
  frames.POLL,
  frames.CONNECT,
  frames.DISCONNECT,
  frames.CONNECT_LANE,
  frames.RESPONSE,
  frames.FAILURE,
  frames.METADATA,
  frames.POLLED,
  frames.RECORD,
  frames.TOPIC,
  frames.FLUSH,
  frames.GROUP_END,
  frames.TRANSACTION_BEGIN,
  frames.TRANSACTION_OFFSETS,
  frames.TRANSACTION_END,
  frames.PRODUCER_CLOSE,
  frames.DELIVERED,
  frames.GROUP_DONE,
  frames.FLUSHED,
  frames.TRANSACTION_DONE,
  frames.PRODUCER_FATAL,
  frames.PRODUCER_CLOSED,
  frames.CONSUMER_CALL,
  frames.CONSUMER_BATCH,
  frames.CONSUMER_ANSWER,
  frames.CONSUMER_EVENT,
  frames.CONSUMER_TOPIC,
  frames.CONSUMER_RAISE,
];

test('kinds are distinct bytes, and exactly they may be committed', () => {
  assert.equal(new Set(kinds).size, kinds.length);
  for (let kind = 0; kind < 256; kind++)
    assert.equal(frames.isFrameKind[kind] === 1, kinds.includes(kind), `kind ${kind}`);
  assert.equal(frames.isFrameKind[frames.PAD], 0);
});

test('prefixes hold their words and leave the message on a multiple of 8', () => {
  for (const bytes of [frames.SEND_PREFIX_BYTES, frames.RESPONSE_PREFIX_BYTES]) assert.equal(bytes % 8, 0);
  const send = [frames.SEND_API_KEY_WORD, frames.SEND_VERSION_WORD, frames.SEND_TIMEOUT_WORD];
  const response = [frames.RESPONSE_API_KEY_WORD, frames.RESPONSE_VERSION_WORD];
  assert.equal(new Set(send).size, send.length);
  assert.equal(new Set(response).size, response.length);
  assert.ok(Math.max(...send) * 4 < frames.SEND_PREFIX_BYTES);
  assert.ok(Math.max(...response) * 4 < frames.RESPONSE_PREFIX_BYTES);
});

test('the prefix of a batch of a consumer holds its words and leaves the records on a multiple of 8', () => {
  const words = [
    frames.BATCH_PARTITION_WORD,
    frames.BATCH_SERIAL_WORD,
    frames.BATCH_COUNT_WORD,
    frames.BATCH_LEADER_EPOCH_WORD,
    frames.BATCH_FIRST_OFFSET_WORD,
    frames.BATCH_NEXT_OFFSET_WORD,
    frames.BATCH_HIGH_WATERMARK_WORD,
    frames.BATCH_LAST_STABLE_WORD,
    frames.BATCH_ROUND_WORD,
  ];
  assert.equal(new Set(words).size, words.length);
  assert.equal(frames.BATCH_PREFIX_BYTES % 8, 0);
  // The last are of two words.
  assert.ok((Math.max(...words) + 2) * 4 <= frames.BATCH_PREFIX_BYTES);
});
