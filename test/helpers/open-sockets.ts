// Owns the look at sockets of this process through the system: which are connected to a port, and which options they have.
// Linux only. Any thread: descriptors belong to the process.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';

interface Koffi {
  load(path: null): { func(prototype: string): (...args: unknown[]) => number };
}

/** Descriptors of the IPv4 connections to a port of the loopback. */
export function socketsTo(port: number): number[] {
  const inodes = new Set(
    readFileSync('/proc/self/net/tcp', 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => Number.parseInt(columns[2]!.split(':')[1]!, 16) === port)
      .map((columns) => columns[9]!),
  );
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => inodes.has(inodeOf(fd)));
}

function inodeOf(fd: number): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? '';
  } catch {
    // It was closed in between, for example the descriptor of this folder's listing.
    return '';
  }
}

/** A 32-bit option, as `getsockopt` gives it. */
export function readSocketOption(fd: number, level: number, option: number): number {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  const getsockopt = koffi.load(null).func('int getsockopt(int, int, int, _Out_ int *, _Inout_ uint32_t *)');
  const value = [0];
  if (getsockopt(fd, level, option, value, [4]) !== 0) throw new Error(`getsockopt ${level} ${option} failed`);
  return value[0]!;
}
