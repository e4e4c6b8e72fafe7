// Owns a relay in a process of its own, so that the benchmark's thread does not delay it. It ends with its parent.
//   node relay-process.js '{"host":"127.0.0.1","port":9092,"delayMs":50,"listenPort":9093}'

import { startRelay } from './relay.ts';

process.stdin.on('end', () => process.exit(0)).resume();
const { host, port, delayMs, listenPort } = JSON.parse(process.argv[2]!) as {
  host: string;
  port: number;
  delayMs: number;
  listenPort: number;
};
await startRelay({ host, port }, delayMs, listenPort);
process.stdout.write('listening\n');
