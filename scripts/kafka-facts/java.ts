// Owns the Java side of the facts: the jars of a kafka-clients release, their message definitions, and the runs of the programs in the folder
// `java`. Needs Java 17 and Maven. Must not know the output of the programs.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { command } from '../command.ts';
import { projectFolder } from '../project.ts';

const sourceFolder = join(projectFolder, 'scripts', 'kafka-facts');
const cacheFolder = join(projectFolder, '.cache', 'kafka-facts');
const fetchTimeoutMs = 300_000;
const runTimeoutMs = 600_000;

/** The last release that writes record formats 0 and 1. It also has the message versions that 4.0 has dropped. */
export const olderRelease = '3.9.1';

export class KafkaClients {
  readonly release: string;
  readonly #work: string;
  readonly #jars: string;

  private constructor(release: string, work: string, jars: string) {
    this.release = release;
    this.#work = work;
    this.#jars = jars;
  }

  /** @param work a folder for compiled files */
  static async fetch(release: string, work: string): Promise<KafkaClients> {
    if (!/^\d+\.\d+\.\d+$/.test(release)) throw new Error(`release ${release}: expected one like 4.4.0`);
    const jars = join(cacheFolder, release);
    if (!existsSync(jars)) {
      const unfinished = `${jars}.${process.pid}.tmp`;
      const args = ['-q', '-B', '-f', join(sourceFolder, 'pom.xml'), `-Dkafka.version=${release}`];
      const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${unfinished}`];
      try {
        await command('mvn', [...args, ...copy], { cwd: sourceFolder, timeoutMs: fetchTimeoutMs });
        renameSync(unfinished, jars);
      } finally {
        rmSync(unfinished, { recursive: true, force: true });
      }
    }
    return new KafkaClients(release, work, jars);
  }

  /** The texts of the message definitions, by file name. */
  async definitions(): Promise<Map<string, string>> {
    const folder = join(this.#work, `definitions-${this.release}`);
    mkdirSync(folder, { recursive: true });
    const jar = join(this.#jars, `kafka-clients-${this.release}.jar`);
    await command('jar', ['--extract', '--file', jar, 'common/message'], { cwd: folder, timeoutMs: runTimeoutMs });
    const from = join(folder, 'common', 'message');
    const names = readdirSync(from).filter((name) => name.endsWith('.json'));
    return new Map(names.sort().map((name) => [name, readFileSync(join(from, name), 'utf8')]));
  }

  /** Runs a program of the folder `java`. It may use the other classes there. Resolves with its output. */
  async run(program: string, args: readonly string[]): Promise<string> {
    const classes = join(this.#work, `classes-${this.release}-${program}`);
    const sources = join(this.#work, `sources-${this.release}-${program}`);
    mkdirSync(sources, { recursive: true });
    const needed = program === 'GoldenRecords' ? [program, 'RecordReader'] : [program];
    for (const name of needed) {
      const text = readFileSync(join(sourceFolder, 'java', `${name}.java`), 'utf8');
      writeFileSync(join(sources, `${name}.java`), forRelease(text, this.release));
    }
    const jars = `${this.#jars}/*`;
    const files = needed.map((name) => join(sources, `${name}.java`));
    const limits = { cwd: this.#work, timeoutMs: runTimeoutMs };
    await command('javac', ['-nowarn', '-d', classes, '-cp', jars, ...files], limits);
    // The heap is limited: one record set claims 2 GiB, and the program must refuse it for want of memory.
    return command('java', ['-Xmx1g', '-cp', [classes, jars].join(delimiter), program, ...args], limits);
  }
}

/** The programs are written for 3.9. Release 4.2 moved the record classes to another package, 4.4 two more. */
function forRelease(source: string, release: string): string {
  const [major, minor] = release.split('.').map(Number) as [number, number];
  const isFrom = (wantedMajor: number, wantedMinor: number): boolean =>
    major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  let text = source;
  if (isFrom(4, 2))
    text = text.replaceAll('org.apache.kafka.common.record.', 'org.apache.kafka.common.record.internal.');
  if (isFrom(4, 4)) {
    text = text.replaceAll(
      /org\.apache\.kafka\.common\.utils\.(BufferSupplier|CloseableIterator)/g,
      'org.apache.kafka.common.utils.internals.$1',
    );
  }
  return text;
}
