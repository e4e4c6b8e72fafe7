// Owns the start of a client and its orderly end, for a process whose modules are counted. Main thread.
//   node --import ./generated-modules-worker.js client-start-peer.js '{"bootstrapServers":"HOST:PORT"}'

import { KafkaClient, type KafkaClientOptions } from '../../../src/index.ts';

const client = await KafkaClient.start(JSON.parse(process.argv[2]!) as KafkaClientOptions);
await client.close();
