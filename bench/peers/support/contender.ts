// Owns the benchmark's end of a contender: starts it, keeps what it reports, ends it. Main thread.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { findNode } from '../../../scripts/node-binaries.ts';
import { projectFolder } from '../../../scripts/project.ts';
import { waitFor } from '../../../test/helpers/wait-for.ts';
import { onProcessEnd } from '../../../test/kafka/fixture/cleanup.ts';
import type { ProduceJob } from './producers.ts';
import { type Report, reportFd } from './reports.ts';

/** The oldest major that every peer supports. */
const nodeMajor = 22;
const startTimeoutMs = 60_000;

export interface Peers {
  /** A Node that all of them run on. */
  readonly node: string;
  /** With their node_modules. */
  readonly folder: string;
}

/** Fails with what to do when they are not there. */
export async function findPeers(): Promise<Peers> {
  const folder = join(projectFolder, 'bench', 'peers');
  if (!existsSync(join(folder, 'node_modules'))) {
    throw new Error('the peers are not installed: npm install --prefix bench/peers');
  }
  const node = await findNode(nodeMajor);
  if (!('path' in node)) throw new Error(`Node ${nodeMajor} cannot be had: ${node.problem}`);
  return { node: node.path, folder };
}

/** Where a module beside this one runs from, compiled or not. */
export function besides(name: string): string {
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./${name}.${suffix}`, import.meta.url));
}

/** Their work with all contenders at work. Whatever happens, none is left behind. */
export async function withContenders<T>(
  peers: Peers,
  jobs: readonly ProduceJob[],
  work: (contenders: readonly ProduceContender[]) => Promise<T>,
): Promise<T> {
  const contenders = jobs.map((job) => new ProduceContender(peers, job));
  try {
    await Promise.all(contenders.map((one) => one.first('produced', () => true, startTimeoutMs)));
    return await work(contenders);
  } finally {
    await Promise.all(contenders.map((one) => one.stop()));
  }
}

export class ProduceContender {
  readonly job: ProduceJob;
  readonly reports: Report[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #errorOutput = '';

  constructor({ node }: Peers, job: ProduceJob) {
    this.job = job;
    const args = ['--enable-source-maps', '--import', besides('connects-worker'), besides('produce-contender')];
    this.#child = spawn(node, [...args, JSON.stringify(job)], { stdio: ['pipe', 'ignore', 'pipe', 'pipe'] });
    const forget = onProcessEnd(() => this.#child.kill('SIGKILL'));
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', () => resolve());
    });
    void this.#ended.finally(forget).catch(() => {});
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errorOutput += text;
    });
    createInterface({ input: this.#child.stdio[reportFd] as Readable }).on('line', (line) => {
      this.reports.push(JSON.parse(line) as Report);
    });
  }

  /** The first report of a kind for which `matches` holds; fails when the process ends, or after `timeoutMs`. */
  first<Kind extends Report['kind']>(
    kind: Kind,
    matches: (report: Extract<Report, { kind: Kind }>) => boolean,
    timeoutMs: number,
  ): Promise<Extract<Report, { kind: Kind }>> {
    const { client, load } = this.job;
    return waitFor(
      `${client}, ${load}: ${kind}`,
      () => {
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
          throw new Error(`${client}, ${load}: ended early; it wrote: ${this.#errorOutput.slice(-4000)}`);
        }
        return this.of(kind).find(matches);
      },
      timeoutMs,
    );
  }

  of<Kind extends Report['kind']>(kind: Kind): Extract<Report, { kind: Kind }>[] {
    return this.reports.filter((report): report is Extract<Report, { kind: Kind }> => report.kind === kind);
  }

  /** Version and settings, once it is at work. */
  get about(): Extract<Report, { kind: 'started' }> {
    return this.of('started')[0]!;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
