// Owns the running of benchmarks: prints each figure as a JSON line with where and with what it was measured.
//   npm run bench                     everything
//   npm run bench -- macro/fetch      some, by the start of their name
//   npm run bench -- micro --save     also keeps the lines in bench/results
//   npm run bench:peers               beside other clients, which it installs
//   npm run bench:peers -- failover   some of those

import { appendFileSync, mkdirSync, readdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { BenchRow } from './rows.ts';

interface BenchModule {
  run?: () => Promise<readonly BenchRow[]>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { save: { type: 'boolean', default: false }, group: { type: 'string' } },
});
const { group: onlyGroup } = values;
const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const environment = {
  date: new Date().toISOString(),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
};

// The peers only when asked for: everything else needs no more than this package's own dependencies.
const needsPeers = positionals.some((start) => start.startsWith('peers'));
const groups = onlyGroup === undefined ? ['micro', 'macro', ...(needsPeers ? ['peers'] : [])] : [onlyGroup];
const starts = positionals.map((start) => (onlyGroup === undefined ? start : `${onlyGroup}/${start}`));
const names = groups.flatMap((group) =>
  readdirSync(new URL(`./${group}/`, import.meta.url))
    .filter((file) => file.endsWith(suffix) && !file.endsWith('.d.ts'))
    .map((file) => `${group}/${file.slice(0, -suffix.length)}`),
);
const wanted = names.filter((name) => starts.length === 0 || starts.some((start) => name.startsWith(start)));
if (wanted.length === 0) {
  console.error(`no benchmark begins with ${starts.join(' or ')}; there are: ${names.join(', ')}`);
  process.exit(1);
}

for (const name of wanted.sort()) {
  // Helpers of benchmarks stand beside them; those that start work when imported have a name that says so.
  if (/-(contender|worker|peer)$/.test(name)) continue;
  const module = (await import(new URL(`./${name}${suffix}`, import.meta.url).href)) as BenchModule;
  if (module.run === undefined) continue;
  for (const row of await module.run()) {
    const line = JSON.stringify({ benchmark: name, ...row, environment });
    console.log(line);
    if (values.save) save(line);
  }
}

function save(line: string): void {
  const folder = new URL(suffix === '.js' ? '../../bench/results/' : './results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  appendFileSync(new URL(`${environment.date.slice(0, 10)}.jsonl`, folder), `${line}\n`);
}
