// A program that uses the installed package and nothing else of this project; test-pack.ts installs and runs it. Argument: a
// port on loopback that nobody listens on. Getting the client's own error for it takes the whole way: the worker's entry
// found in the installed folder, the thread started, an attempt to connect, the answer over shared memory.
// @ts-check

import assert from 'node:assert/strict';
import { KafkaClient, Metadata, NoBrokersAvailable } from 'offthread-kafka';

/** @type {import('offthread-kafka').KafkaClientOptions} */
const options = { bootstrapServers: [`127.0.0.1:${process.argv[2]}`], apiVersionAutoTimeoutMs: 1000 };

await assert.rejects(KafkaClient.start(options), (error) => {
  assert.ok(error instanceof NoBrokersAvailable, String(error));
  assert.equal(error.code, 'KAFKA_NO_BROKERS_AVAILABLE');
  assert.equal(error.retriable, true);
  return true;
});

const client = await KafkaClient.start({ ...options, apiVersion: [4, 0] });
const future = client.send(-1, Metadata, { topics: null });
assert.equal(future.failed, true);
await client.close();

console.log(`the installed package works on Node ${process.version}`);
