// Owns the start of a client and its orderly end, for a process whose modules are counted. Main thread.
//   node --import ./generated-modules-worker.js client-start-peer.js HOST:PORT

import { KafkaClient } from '../../src/index.ts';

const client = await KafkaClient.start({ bootstrapServers: process.argv[2]! });
await client.close();
