// Owns the runs of clients in other languages: programs that do the same as peer-process.ts, and answer with a line of JSON. Main thread of the
// benchmark.

import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { projectFolder } from '../../../scripts/project.ts';
import { fetchJars } from '../../../test/kafka/fixture/jars.ts';
import { javaCommand, machineArguments } from '../../../test/kafka/fixture/java.ts';
import { kafkaVersion } from '../../../test/kafka/fixture/versions.ts';
import { pythonOf } from './install.ts';
import type { Answer, Job } from './job.ts';
import { machineBusyMs, processBusyMs } from './machine.ts';

/** Java compiles its hot code for some seconds. */
const javaWarmUpFactor = 5;
const runTimeoutMs = 60_000;
const sources = join(projectFolder, 'bench', 'peers', 'support', 'clients');

export async function outsideAnswer(job: Job): Promise<Answer> {
  const [command, args] = await commandOf(job);
  const startedAt = performance.now();
  const before = machineBusyMs() - ownMs(job);
  const options = { timeout: runTimeoutMs, killSignal: 'SIGKILL', maxBuffer: 2 ** 24 } as const;
  const { stdout } = await promisify(execFile)(command, args, options);
  const line = stdout.trim().split('\n').at(-1)!;
  const { processCpuMs, ...answer } = JSON.parse(line) as Omit<Answer, 'foreign'> & { processCpuMs: number };
  const foreignMs = machineBusyMs() - ownMs(job) - before - processCpuMs;
  const wallMs = performance.now() - startedAt;
  return { ...answer, foreign: Math.max(0, foreignMs / wallMs / cpus().length) };
}

function ownMs({ ownPids }: Job): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + ownPids.reduce((sum, pid) => sum + processBusyMs(pid), 0);
}

async function commandOf(job: Job): Promise<[command: string, args: string[]]> {
  const { work, bootstrapServer, topic, groupId, acks, compression, valueBytes, measureMs, partitions, endOffset } =
    job;
  const { warmUpMs } = job;
  const told = { work, bootstrapServer, topic, groupId, acks, compression, valueBytes, measureMs, warmUpMs };
  const all = { ...told, allRecords: partitions * endOffset };
  const args = (more: object): string[] => Object.entries({ ...all, ...more }).map(([key, value]) => `${key}=${value}`);
  if (job.peer === 'kafka-python') return [pythonOf(), [join(sources, 'python_peer.py'), ...args({})]];
  const version = kafkaVersion();
  const folders = await Promise.all([fetchJars(version), fetchJars(version, 'tools')]);
  const classPath = folders.map((folder) => join(folder, '*')).join(delimiter);
  const machine = ['-Xmx512m', ...machineArguments('full speed'), '-Dorg.apache.logging.log4j.level=OFF'];
  const program = join(sources, 'JavaPeer.java');
  return [
    javaCommand(),
    [...machine, '-cp', classPath, program, ...args({ version: version.text, warmUpMs: warmUpMs * javaWarmUpFactor })],
  ];
}
