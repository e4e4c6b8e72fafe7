// Every program and fragment in README and docs is TypeScript that compiles as strictly as a user may want it: against the
// declarations that the package has, in a project of its own.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { projectFolder } from '../../../scripts/project.ts';

const tsc = join(projectFolder, 'node_modules', 'typescript', 'bin', 'tsc');
const pages = ['README.md', ...readdirSync(join(projectFolder, 'docs')).map((name) => join('docs', name))].filter(
  (name) => name.endsWith('.md'),
);

/** What a fragment may take for granted: names that the page has introduced, by what they are. */
const given: Readonly<Record<string, string>> = {
  client: 'KafkaClient',
  producer: 'Producer',
  consumer: 'Consumer',
  leader: 'number',
  lines: 'string[]',
  bootstrapServers: 'string',
  fetchRequest: 'FetchRequest',
  produceRequest: 'ProduceRequest',
  partition: '{ records: RecordsView; abortedTransactions: Iterable<AbortedTransaction> | null }',
};
/** Where a fragment gets what it does not import. */
const packages: Readonly<Record<string, string>> = {
  pino: 'pino',
  Worker: 'node:worker_threads',
  workerData: 'node:worker_threads',
};
const ownValues = ['KafkaClient', 'Producer', 'Consumer', 'Fetch', 'Produce', 'committedRanges'];
const ownTypes = ['FetchRequest', 'ProduceRequest', 'RecordsView', 'AbortedTransaction'];

interface Block {
  readonly file: string;
  readonly where: string;
  readonly source: string;
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(projectFolder, page), 'utf8');
  return [...text.matchAll(/^```(?:js|ts|javascript|typescript)\n(.*?)^```$/gms)].map(({ 1: source, index }, i) => ({
    file: `${basename(page, '.md').toLowerCase()}-${i}.mts`,
    where: `${page}:${text.slice(0, index).split('\n').length}`,
    source: source!,
  }));
}

/** The block in front of which stands what it takes for granted; its own lines keep their places from the end. */
function compilable(source: string): string {
  const uses = (name: string): boolean => new RegExp(`(?<![.\\w'])${name}\\b(?!')`).test(source);
  const declares = (name: string): boolean =>
    new RegExp(
      `\\b(?:const|let|class|function|using)\\s+(?:\\{[^}]*)?\\b${name}\\b|import[^;]*\\b${name}\\b[^;]*from`,
    ).test(source);
  const isMissing = (name: string): boolean => uses(name) && !declares(name);
  const declared = Object.entries(given).filter(([name]) => isMissing(name));
  const types = declared.map(([, type]) => type).join(' ');
  const own = [...ownValues, ...ownTypes].filter((name) => !declares(name) && (uses(name) || types.includes(name)));
  return [
    ...(own.length > 0 ? [`import { ${own.map(imported).join(', ')} } from 'offthread-kafka';`] : []),
    ...Object.entries(packages)
      .filter(([name]) => isMissing(name))
      .map(([name, from]) => `import { ${name} } from '${from}';`),
    ...declared.map(([name, type]) => `declare const ${name}: ${type};`),
    source,
    'export {};',
  ].join('\n');
}

function imported(name: string): string {
  return ownTypes.includes(name) ? `type ${name}` : name;
}

describe('the programs of README and docs', () => {
  const blocks = pages.flatMap(blocksOf);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'doc-programs-'));
    const ownPackage = join(folder, 'node_modules', 'offthread-kafka');
    mkdirSync(ownPackage, { recursive: true });
    const declarations = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--declarationMap', 'false'];
    execFileSync(process.execPath, [tsc, ...declarations, '--outDir', join(ownPackage, 'dist')], {
      cwd: projectFolder,
    });
    writeFileSync(join(ownPackage, 'package.json'), readFileSync(join(projectFolder, 'package.json')));
    for (const name of ['@types', '@opentelemetry', 'prom-client', 'pino', 'long', 'undici-types', 'thread-stream']) {
      const target = join(projectFolder, 'node_modules', name);
      symlinkSync(target, join(folder, 'node_modules', name));
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }');
    const compilerOptions = {
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noImplicitOverride: true,
      noImplicitReturns: true,
      skipLibCheck: true,
      noEmit: true,
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts'] }));
    for (const { file, source } of blocks) writeFileSync(join(folder, file), compilable(source));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test('are found', () => assert.ok(blocks.length > 15, `${blocks.length} blocks`));

  test('compile with every check that strict TypeScript has', () => {
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    });
    const where = new Map(blocks.map(({ file, where: place }) => [file, place]));
    const text = stdout.replace(/^([\w-]+\.mts)/gm, (file) => `${where.get(file)} (${file})`);
    assert.equal(status, 0, text);
  });

  test('are really checked: a wrong option and a null are found', () => {
    const wrong = [
      `const client = await KafkaClient.start({ bootstrapServer: 'a:1' });`,
      'await client.awaitReady(client.leastLoadedNode());',
    ].join('\n');
    writeFileSync(join(folder, 'wrong.mts'), compilable(wrong));
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    });
    rmSync(join(folder, 'wrong.mts'));
    assert.notEqual(status, 0);
    assert.match(stdout, /wrong\.mts\(2,\d+\): error TS2\d+: .*bootstrapServer/);
    assert.match(stdout, /wrong\.mts\(3,\d+\): error TS2345: .*null/);
  });
});
