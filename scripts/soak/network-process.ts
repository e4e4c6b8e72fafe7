// Owns the process in which the network of a soak runs: it starts it, and tells it when there are no faults. Main thread.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface NetworkProcess {
  readonly bootstrapServers: readonly string[];
  /** Resolves when all faults have ended. */
  calm(): Promise<void>;
  /** Faults begin again. */
  go(): void;
  /** @returns how often each fault was made */
  stop(): Promise<unknown>;
}

export async function startNetworkProcess(args: readonly string[]): Promise<NetworkProcess> {
  const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const file = fileURLToPath(new URL(`./network${suffix}`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the network of the soak has ended; its output says why');
    return JSON.parse(String(value));
  };
  const { bootstrapServers } = (await next()) as { bootstrapServers: string[] };
  return {
    bootstrapServers,
    async calm() {
      child.stdin.write('calm\n');
      await next();
    },
    go() {
      child.stdin.write('go\n');
    },
    async stop() {
      const ended = once(child, 'exit');
      child.stdin.end();
      const { faults } = (await next()) as { faults: unknown };
      await ended;
      return faults;
    },
  };
}
