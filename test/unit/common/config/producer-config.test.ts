// Options of a producer: defaults, ranges, rules between keys, and the names of other clients.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ProducerConfigInput,
  parseProducerConfig,
  rightKeyFor,
} from '../../../../src/common/config/producer-config.ts';
import { KafkaConfigurationError } from '../../../../src/common/errors/errors.ts';

function problems(options: object): readonly string[] {
  try {
    parseProducerConfig(options as ProducerConfigInput);
  } catch (error) {
    assert.ok(error instanceof KafkaConfigurationError);
    return error.problems;
  }
  return [];
}

test('the defaults are the same as in Java, with idempotence', () => {
  const config = parseProducerConfig();
  assert.deepEqual(
    [config.acks, config.enableIdempotence, config.retries, config.deliveryTimeoutMs, config.lingerMs],
    [-1, true, 2147483647, 120000, 5],
  );
  assert.deepEqual(
    [config.batchSizeBytes, config.bufferMemoryBytes, config.maxRequestSizeBytes],
    [16384, 33554432, 1048576],
  );
  assert.ok(Object.isFrozen(config));
});

test('every other default is the same as in Java', () => {
  const config = parseProducerConfig();
  const expected = {
    requestTimeoutMs: 30_000,
    maxBlockMs: 60_000,
    maxInFlightRequestsPerConnection: 5,
    compressionType: 'none',
    compressionLevel: null,
    retryBackoffMs: 100,
    retryBackoffMaxMs: 1000,
    partitioner: 'murmur2',
    partitionerIgnoreKeys: false,
    partitionerAdaptivePartitioningEnable: true,
    partitionerAvailabilityTimeoutMs: 0,
    partitionerRackAware: false,
    clientRack: '',
    transactionalId: null,
    transactionTimeoutMs: 60_000,
    metadataMaxIdleMs: 300_000,
  };
  for (const [key, value] of Object.entries(expected)) assert.equal(config[key as keyof typeof config], value, key);
});

test('acks and retries that exclude idempotence switch it off, and that is logged once', () => {
  for (const options of [{ acks: 1 }, { acks: 0 }, { retries: 0 }] as ProducerConfigInput[]) {
    const notices: string[] = [];
    assert.equal(parseProducerConfig(options, (text) => notices.push(text)).enableIdempotence, false);
    assert.equal(notices.length, 1);
    assert.match(notices[0]!, /works without idempotence: (acks|retries) is/);
  }
});

test('idempotence that was asked for is not switched off', () => {
  assert.deepEqual(problems({ enableIdempotence: true, acks: 1, retries: 0 }), [
    "enableIdempotence is true, but acks is 1, it must be 'all'",
    'enableIdempotence is true, but retries is 0, it must be at least 1',
  ]);
  assert.deepEqual(problems({ transactionalId: 't', acks: 0 }), [
    "transactionalId needs idempotence, but acks is 0, it must be 'all'",
  ]);
  assert.deepEqual(problems({ transactionalId: 't', enableIdempotence: false }), [
    'transactionalId needs idempotence, but enableIdempotence is false',
  ]);
});

test('more than 5 requests in flight are an error with idempotence, also if idempotence is only the default', () => {
  assert.equal(problems({ maxInFlightRequestsPerConnection: 6 }).length, 1);
  assert.equal(problems({ maxInFlightRequestsPerConnection: 6, enableIdempotence: false }).length, 0);
});

test('deliveryTimeoutMs is raised to the sum of lingerMs and requestTimeoutMs, unless it was given', () => {
  assert.equal(parseProducerConfig({ lingerMs: 200_000 }).deliveryTimeoutMs, 230_000);
  assert.deepEqual(problems({ deliveryTimeoutMs: 1000 }), [
    'deliveryTimeoutMs is 1000; it must be at least lingerMs + requestTimeoutMs, 30005',
  ]);
});

test('a level is accepted only for a codec with levels', () => {
  assert.equal(problems({ compressionLevel: 3 }).length, 1);
  assert.equal(problems({ compressionType: 'gzip', compressionLevel: 10 }).length, 1);
  assert.equal(parseProducerConfig({ compressionType: 'zstd', compressionLevel: -5 }).compressionLevel, -5);
});

test('all problems are reported at once', () => {
  assert.equal(
    problems({ acks: 2, lingerMs: -1, compressionType: 'brotli', transactionalId: '', partitioner: 'x' }).length,
    5,
  );
});

for (const [foreign, ours] of [
  ['batch.size', 'batchSizeBytes'],
  ['linger.ms', 'lingerMs'],
  ['delivery.timeout.ms', 'deliveryTimeoutMs'],
  ['enable.idempotence', 'enableIdempotence'],
  ['buffer.memory', 'bufferMemoryBytes'],
  ['max.in.flight.requests.per.connection', 'maxInFlightRequestsPerConnection'],
  ['max.request.size', 'maxRequestSizeBytes'],
  ['transactional.id', 'transactionalId'],
  ['idempotent', 'enableIdempotence'],
  ['maxInFlightRequests', 'maxInFlightRequestsPerConnection'],
  ['createPartitioner', 'partitioner'],
  ['transactionTimeout', 'transactionTimeoutMs'],
  ['compression', 'compressionType'],
  ['linger_ms', 'lingerMs'],
  ['lingerMS', 'lingerMs'],
] as const) {
  test(`the key ${foreign} of another client is refused, and the error names ${ours}`, () => {
    assert.equal(rightKeyFor(foreign), ours);
    assert.deepEqual(problems({ [foreign]: 1 }), [
      `unknown configuration key '${foreign}' of a producer; did you mean '${ours}'?`,
    ]);
  });
}
