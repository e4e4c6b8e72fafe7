// Owns the benchmark's side of a contender: starts it, keeps its reports, ends it. Main thread.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { findNode } from '../../../scripts/node-binaries.ts';
import { waitFor } from '../../../test/helpers/wait-for.ts';
import { onProcessEnd } from '../../../test/kafka/fixture/cleanup.ts';
import { missingPeers, nodeMajor, peersFolder } from './install.ts';
import type { ProduceJob } from './producers.ts';
import { type Report, reportFd } from './reports.ts';

const startTimeoutMs = 60_000;

export interface Peers {
  /** The path of a Node that all clients support. */
  readonly node: string;
  /** The folder with their node_modules. */
  readonly folder: string;
}

/** Installs them if needed. */
export async function findPeers(): Promise<Peers> {
  await missingPeers();
  const node = await findNode(nodeMajor);
  if (!('path' in node)) throw new Error(`Node ${nodeMajor} is not available: ${node.problem}`);
  return { node: node.path, folder: peersFolder };
}

/** The path of a module beside this one, compiled or not. */
export function besides(name: string): string {
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./${name}.${suffix}`, import.meta.url));
}

/** Runs `work` while all contenders run. They are ended after success and after failure. */
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

  /** The first report of a kind for which `matches` is true. Fails when the process ends, or after `timeoutMs`. */
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

  /** The version and settings, after the contender has started. */
  get about(): Extract<Report, { kind: 'started' }> {
    return this.of('started')[0]!;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
