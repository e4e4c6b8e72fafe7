// Arguments of a consumer's calls that only together make no sense.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IllegalArgumentError } from '../../../../src/common/errors/errors.ts';
import { timesOf } from '../../../../src/main/consumer/consumer-arguments.ts';

test('two times of one partition are refused, since brokers answer only one; the same time twice is not', () => {
  const at = (timestampMs: number, partition = 0) => ({ topic: 't', partition, timestampMs });
  assert.deepEqual(timesOf('offsetsForTimes', [at(5), at(6, 1), at(5)]), [at(5), at(6, 1), at(5)]);
  assert.throws(() => timesOf('offsetsForTimes', [at(5), at(6)]), IllegalArgumentError);
});
