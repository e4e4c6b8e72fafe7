// Owns an application without a client, in a process of its own: it takes the cores as one beside a client does. It ends with its parent.
//   node application-process.js '{"blockMs":20,"share":0.9}'

import type { Load } from './job.ts';
import { Application } from './meter.ts';

process.stdin.on('end', () => process.exit(0)).resume();
void new Application(JSON.parse(process.argv[2]!) as Load);
process.stdout.write('working\n');
