// An HTTP server that writes each line of a request's body as a record, and answers when all records are acknowledged. While memory is full,
// the server stops reading the request, so TCP slows the sender down. After SIGTERM or SIGINT it ends when its records are written.
//   npm run example -- http-ingest

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { KafkaClient } from '../../src/index.ts';

const client = await KafkaClient.start({ bootstrapServers: process.env.KAFKA_BOOTSTRAP_SERVERS ?? 'localhost:9092' });
await client.admin().createTopics([{ name: 'lines', partitions: 3 }], { waitForLeaders: true });
const producer = await client.producer({ bufferMemoryBytes: 4 * 1024 * 1024 });

const server = createServer(async (request, response) => {
  if (request.method !== 'POST') {
    response.writeHead(405, { allow: 'POST' }).end('POST lines to be written\n');
    return;
  }
  async function* records(): AsyncGenerator<{ value: string }> {
    for await (const value of createInterface({ input: request })) yield { value };
  }
  try {
    // Each line is taken when there is room for it.
    const { records: count, failed } = await producer.sendAll('lines', records());
    response.writeHead(failed === 0 ? 200 : 502, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ written: count - failed, failed })}\n`);
  } catch (error) {
    response.writeHead(503).end(`${(error as Error).message}\n`);
  }
});

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
await once(server, 'listening');
console.log(`listening on ${(server.address() as AddressInfo).port}`);

await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
// The server accepts no new connections. Requests under way are answered.
await new Promise<void>((resolve) => {
  server.close(() => resolve());
  server.closeIdleConnections();
});
const { records, failed } = await producer.close();
console.log(`closed after ${records} records, ${failed} of them failed`);
await client.close();
