// Runs an example of `examples/` with the broker in KAFKA_BOOTSTRAP_SERVERS, or with an embedded broker in this process.
//   npm run example                   lists them
//   npm run example -- first-program

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startEmbeddedBroker } from '../test/helpers/embedded-broker.ts';
import { projectFolder, runnablePath } from './project.ts';

const [name] = process.argv.slice(2);
const names = readdirSync(join(projectFolder, 'examples')).sort();
if (name === undefined || !names.includes(name)) {
  console.error(`npm run example -- NAME, one of ${names.join(', ')}`);
  process.exit(name === undefined ? 0 : 2);
}

const given = process.env.KAFKA_BOOTSTRAP_SERVERS;
const broker = given === undefined ? await startEmbeddedBroker() : null;
const servers = given ?? broker!.bootstrapServers.join(',');
const child = spawn(process.execPath, ['--enable-source-maps', runnablePath(`examples/${name}/index.ts`)], {
  stdio: 'inherit',
  env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: servers },
});
// Signals go to the example. This process waits until it has ended.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal));
const [exitCode] = (await once(child, 'close')) as [number | null];
await broker?.close();
process.exitCode = exitCode ?? 1;
