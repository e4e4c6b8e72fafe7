// Runs an example of `examples/` with the broker in KAFKA_BOOTSTRAP_SERVERS, or with an embedded broker in this process.
//   npm run example                   lists them
//   npm run example -- first-program

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Argument } from 'commander';
import { startEmbeddedBroker } from '../test/helpers/embedded-broker.ts';
import { scriptCommand } from './arguments.ts';
import { projectFolder, runnablePath } from './project.ts';

const names = readdirSync(join(projectFolder, 'examples')).sort();
const [name] = scriptCommand('npm run example --', 'Runs an example with an embedded broker, or with your own.')
  .addArgument(new Argument('[name]', 'without it the names are listed').choices(names))
  .parse().args;
if (name === undefined) {
  console.log(names.join('\n'));
  process.exit(0);
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
