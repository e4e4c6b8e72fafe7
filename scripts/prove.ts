// Runs a proof by its name: a long run on real brokers with random faults. An independent program checks the result.
//   npm run prove -- producer --minutes 10 --seed 7

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [name = ''] = process.argv.slice(2);
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const module = new URL(`./prove/${name}${extension}`, import.meta.url);
if (!/^[a-z]+$/.test(name) || !existsSync(fileURLToPath(module))) {
  console.error('usage: npm run prove -- producer|consumer [--minutes N] [--seed S], or blocked [--seconds N]');
  process.exit(2);
}
await import(module.href);
