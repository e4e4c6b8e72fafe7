// Loads every entry of the installed package, by `import` and by `require`, and uses a little of each. test-pack.ts runs it.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { exports } = require('offthread-kafka/package.json');
/** Not for programs: the entry of the network thread. */
const others = new Set(['./worker', './worker/single-file', './package.json']);
const entries = Object.keys(exports).filter((name) => !others.has(name));
assert.ok(entries.length >= 4, `entries: ${entries}`);

for (const entry of entries) {
  const name = `offthread-kafka${entry.slice(1)}`;
  const imported = await import(name);
  const required = require(name);
  assert.ok(Object.keys(imported).length > 0, `${name} exports nothing`);
  assert.deepEqual(Object.keys(required).sort(), Object.keys(imported).sort(), `require of ${name}`);
  for (const key of Object.keys(imported)) assert.equal(required[key], imported[key], `${name}: ${key}`);
}

const { ConsumerProtocolSubscription } = require('offthread-kafka/protocol');
const bytes = ConsumerProtocolSubscription.encode({ topics: ['a', 'b'] }, 1);
assert.deepEqual(ConsumerProtocolSubscription.decode(bytes).topics.toArray(), ['a', 'b']);

const { KafkaClient } = require('offthread-kafka');
const { EmbeddedCluster } = require('offthread-kafka/testing');
let fastestMs = Number.POSITIVE_INFINITY;
for (let i = 0; i < 5; i++) {
  const began = performance.now();
  const cluster = await EmbeddedCluster.start({ topics: { a: 1 } });
  fastestMs = Math.min(fastestMs, performance.now() - began);
  if (i === 0) {
    const client = await KafkaClient.start({
      bootstrapServers: cluster.bootstrapServers,
      apiVersionAutoTimeoutMs: 30_000,
    });
    const producer = await client.producer();
    await producer.send('a', { value: 'v' });
    assert.equal((await cluster.log('a', 0)).endOffset, 1);
    await client.close();
  }
  if (i === 1) await askOtherApi();
  await cluster.close();
}
console.log(`an embedded cluster starts in ${fastestMs.toFixed(0)} ms, the fastest of five`);
console.log(`${entries.length} entries can be imported and required on Node ${process.version}`);

/** An API that the cluster does not serve itself: its messages are in a file that is loaded then. */
async function askOtherApi() {
  const { ListGroups } = require('offthread-kafka');
  const cluster = await EmbeddedCluster.start({ apiVersions: { [ListGroups.key]: [0, 5] } });
  await cluster.control(ListGroups, { body: { groups: [{ groupId: 'g', protocolType: 'consumer' }] } });
  const client = await KafkaClient.start({
    bootstrapServers: cluster.bootstrapServers,
    apiVersionAutoTimeoutMs: 30_000,
  });
  await client.awaitReady(0);
  const { groups } = await client.send(0, ListGroups, {});
  assert.equal(groups.at(0).groupId, 'g');
  await client.close();
  await cluster.close();
}
