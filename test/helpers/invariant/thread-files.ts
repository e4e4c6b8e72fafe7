// Owns that threads of a test start from one file each where the runner has made such files: scripts/test-run/thread-files.ts has the reason.
// Test thread. It changes a class of Node, so it must be called before the client is loaded. Without the runner it does nothing.

import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';

/** The folder that this code was compiled into. */
const compiled = new URL('../../../', import.meta.url).href;

/** @param files paths of files by those of modules, as the runner's JSON has them; undefined: there are none */
export function useThreadFiles(json: string | undefined): void {
  if (json === undefined) return;
  const files = JSON.parse(json) as Readonly<Record<string, string>>;
  const byModule = new Map(Object.entries(files).map(([file, module]) => [compiled + module, new URL(file, compiled)]));
  const original = workerThreads.Worker;
  workerThreads.Worker = class extends original {
    constructor(...[script, options]: ConstructorParameters<typeof original>) {
      super(byModule.get(String(script)) ?? script, options);
    }
  };
  syncBuiltinESMExports();
}
