// Owns the passing on of Node's cache of compiled code: a program that has switched it on for its own thread has it in the network thread, too.
// Application thread. Must not switch it on by itself: it writes files.

import { dirname } from 'node:path';

/** The part of node:module that Node 20 lacks. */
export interface CompileCaches {
  /** The folder of this version of Node in the folder that was asked for; undefined when the cache is off. */
  readonly getCompileCacheDir?: () => string | undefined;
}

/**
 * The environment that a thread needs for the cache. Undefined: a thread has it anyway, or there is none. `enableCompileCache` of node:module
 * works for the calling thread only; the variable NODE_COMPILE_CACHE works for all.
 */
export function environmentWithCache(
  modules: CompileCaches,
  environment: Readonly<NodeJS.ProcessEnv>,
): NodeJS.ProcessEnv | undefined {
  const folder = modules.getCompileCacheDir?.();
  if (folder === undefined || environment.NODE_COMPILE_CACHE !== undefined) return undefined;
  return { ...environment, NODE_COMPILE_CACHE: dirname(folder) };
}
