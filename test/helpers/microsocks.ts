// Owns the SOCKS 5 proxy `microsocks` as a process of its own, and the check whether this machine has it. Runs in
// the test's thread.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { type AddressInfo, connect, createServer } from 'node:net';
import { waitFor } from './wait-for.ts';

const host = '127.0.0.1';

/** Why there is no microsocks here; null when there is one. */
export function microsocksProblem(): string | null {
  const { error } = spawnSync('microsocks', ['-h'], { timeout: 60_000 });
  return error === undefined
    ? null
    : `microsocks cannot be run (${(error as NodeJS.ErrnoException).code}): it is a package of Debian`;
}

export interface Microsocks {
  /** `host:port` */
  readonly address: string;
  close(): Promise<void>;
}

export async function startMicrosocks(login?: {
  readonly user: string;
  readonly password: string;
}): Promise<Microsocks> {
  const port = await freePort();
  const wanted = login === undefined ? [] : ['-u', login.user, '-P', login.password];
  const child = spawn('microsocks', ['-i', host, '-p', String(port), ...wanted], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    await waitFor('microsocks to listen', () => listens(child, port));
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    address: `${host}:${port}`,
    close: () => {
      child.kill('SIGKILL');
      return exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listens(child: ChildProcess, port: number): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`microsocks ended with exit code ${child.exitCode}`);
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
