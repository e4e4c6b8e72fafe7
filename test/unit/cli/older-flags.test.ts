// Flags under the older names that Kafka's own tools still take.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutOlderFlags } from '../../../src/cli/older-flags.ts';

test('older names become the newer ones, in both spellings of a value', () => {
  assert.deepEqual(withoutOlderFlags(['produce', '--topic', 't', '--producer.config', 'a.properties']), [
    'produce',
    '--topic',
    't',
    '--command-config',
    'a.properties',
  ]);
  assert.deepEqual(withoutOlderFlags(['consume', '--consumer-property=max.poll.records=1']), [
    'consume',
    '--command-property=max.poll.records=1',
  ]);
  assert.deepEqual(withoutOlderFlags(['bench', 'produce', '--messages', '5']), [
    'bench',
    'produce',
    '--num-records',
    '5',
  ]);
});

test('other commands, other names and what stands behind -- are left as they are', () => {
  for (const args of [
    ['topics', '--producer.config', 'x'],
    ['produce', '--', '--producer.config'],
    ['produce', '--producer.configs'],
    ['constructor', '--messages'],
    [],
  ])
    assert.deepEqual(withoutOlderFlags(args), args);
});
