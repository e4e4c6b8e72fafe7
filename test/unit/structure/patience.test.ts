// A test that starts a client gives it time: the default is a limit for an application on a machine of its own, not for a machine that runs
// many tests at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from './support/source-files.ts';

/** The rest of a call, up to the first closing bracket of its options. */
const starts = /\b(?:KafkaClient|Consumer|Producer)\.start\(\{([^}]*)\}/g;

function impatient(text: string): string[] {
  return [...text.matchAll(starts)]
    .map(([, options]) => options!)
    .filter(
      (options) =>
        /\bbootstrapServers(?!: ')/.test(options) && !/\bpatient\b|apiVersionAutoTimeoutMs|\.\.\.options/.test(options),
    );
}

test('every client in a test has enough time to start, or its own limit', () => {
  const files = sourceFiles('test').filter(({ path }) => !path.startsWith('unit/'));
  assert.ok(files.length > 100, `${files.length} files found`);
  const found = files.flatMap(({ path, text }) => impatient(text).map((options) => `test/${path}: start({${options}`));
  // Programs in texts are started by `patientNode`.
  assert.deepEqual(
    found.filter((call) => !call.includes("'localhost:9092'")),
    [],
  );
});

test('a start without time is found', () => {
  assert.equal(impatient('await KafkaClient.start({ bootstrapServers })').length, 1);
  assert.equal(
    impatient('await Consumer.start({\n  bootstrapServers: broker.bootstrapServers,\n  groupId })').length,
    1,
  );
  assert.equal(impatient('await KafkaClient.start({ ...patient, bootstrapServers })').length, 0);
  assert.equal(impatient('await KafkaClient.start({ bootstrapServers, apiVersionAutoTimeoutMs: 5 })').length, 0);
});
