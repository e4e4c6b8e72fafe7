// Owns the timed loading of generated modules, in a process that has loaded none of them. Main thread. Prints ms.
//   node load-modules-peer.js '["flat/generated/fetch.js", ...]'

import { createRequire } from 'node:module';
// The modules that all of them need are loaded before the measurement.
import '../../../src/index.ts';
import '../../../src/protocol/wire/codecs.ts';
import '../../../src/protocol/wire/records/records.ts';

const require = createRequire(new URL('../../../src/protocol/', import.meta.url));
const files = JSON.parse(process.argv[2]!) as string[];
const startedAt = performance.now();
for (const file of files) require(`./${file}`);
process.stdout.write(`${performance.now() - startedAt}`);
