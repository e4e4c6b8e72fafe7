// Runs a proof by its name: a long run on real brokers with random faults. An independent program checks the result.
//   npm run prove -- producer --minutes 10 --seed 7

import { Argument } from 'commander';
import { scriptCommand } from './arguments.ts';

const proofs = ['producer', 'consumer', 'blocked', 'blocked-producer'];
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const [name] = scriptCommand('npm run prove --', 'Runs a proof on real brokers under random faults.')
  .addArgument(new Argument('<proof>', 'each has a help of its own').choices(proofs))
  .argument('[options...]', 'options of the proof')
  // They are read by the proof.
  .passThroughOptions()
  .parse().args;
await import(new URL(`./prove/${name}${extension}`, import.meta.url).href);
