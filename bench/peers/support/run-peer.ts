// Owns the run of one client in a Node process, and the reading of what V8 writes of its collections. Main thread of the benchmark.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onProcessEnd } from '../../../test/kafka/fixture/cleanup.ts';
import { nodeOfPeer } from './install.ts';
import type { Answer, Figures, Job } from './job.ts';
import { isNodePeer } from './registry.ts';

/** The slowest client with the longest block, several times over. Some wait for ever where they cannot do a thing. */
const runTimeoutMs = 30_000;
const answerFd = 3;
const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = fileURLToPath(new URL(`./peer-process.${suffix}`, import.meta.url));

export async function runPeer(node: string, job: Job): Promise<Answer> {
  const { profileFolder } = job;
  const profiling = profileFolder === null ? [] : ['--cpu-prof', '--cpu-prof-dir', profileFolder];
  const flags = ['--enable-source-maps', '--expose-gc', '--trace-gc', ...profiling];
  const command = isNodePeer(job.peer) ? nodeOfPeer(job.peer, node) : node;
  const child = spawn(command, [...flags, entry, JSON.stringify(job)], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const forget = onProcessEnd(() => child.kill('SIGKILL'));
  const limitMs = runTimeoutMs + 5 * job.measureMs;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, limitMs);
  const output = collect(child.stdio[1] as Readable);
  const errors = collect(child.stdio[2] as Readable);
  const answer = collect(child.stdio[answerFd] as Readable);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  forget();
  if (code !== 0 || answer() === '') {
    const end = isLate ? `did not end in ${limitMs / 1000} s` : `ended with ${signal ?? `exit code ${code}`}`;
    throw new Error(`${job.peer}, ${job.work}: ${end}: ${errors().slice(-1500)}`);
  }
  const parsed = JSON.parse(answer()) as Answer;
  return { ...parsed, figures: { ...parsed.figures, ...collections(output()) } };
}

function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/** Counts of the whole run, the start included. The first isolate is the main thread's. */
export function collections(trace: string): Figures {
  const figures = { mainCollections: 0, otherCollections: 0 };
  let main: string | null = null;
  for (const line of trace.split('\n')) {
    const found = /^\[\d+:(0x[0-9a-f]+)[^\]]*\]\s+\d+ ms: (Scavenge|Mark-Compact|Minor Mark-Sweep)/.exec(line);
    if (found === null) continue;
    main ??= found[1]!;
    const isMain = found[1] === main;
    figures[isMain ? 'mainCollections' : 'otherCollections']++;
  }
  return figures;
}
