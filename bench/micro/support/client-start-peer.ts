// Owns the start and the orderly end of a client, in a process whose modules are counted. Main thread.
//   node --import ./generated-modules-worker.js client-start-peer.js '{"bootstrapServers":"HOST:PORT"}'

import { KafkaClient, type KafkaClientOptions } from '../../../src/index.ts';

const client = await KafkaClient.start(JSON.parse(process.argv[2]!) as KafkaClientOptions);
await client.close();
