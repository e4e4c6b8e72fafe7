// Owns the program in pack-consumer, which uses the client like its users do. Used by scripts.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { projectFolder } from './project.ts';

/** The text of the program. It imports `'offthread-kafka'`. Its argument is a port on which nothing listens. */
export function consumerText(): Promise<string> {
  return readFile(join(projectFolder, 'scripts', 'pack-consumer', 'consumer.mjs'), 'utf8');
}

/** A port on loopback that was free a moment ago, so nothing listens there. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}
