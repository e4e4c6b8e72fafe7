// Owns the check of the package's types with the compilers of users: the oldest and the newest compiler, every module resolution, all strict
// options, with a check of the package's own declarations.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';
import { projectFolder } from './project.ts';
import { installTools } from './tools.ts';

const compileTimeoutMs = 120_000;

/** The oldest supported compiler and the last one of each major version. This project's own is the newest. */
const compilers = {
  '5.4': 'npm:typescript@~5.4.0',
  '5.9': 'npm:typescript@~5.9.0',
  '6': 'npm:typescript@^6.0.0',
} as const;
const resolutions = [
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'node16', moduleResolution: 'node16' },
  { module: 'esnext', moduleResolution: 'bundler' },
] as const;
const strictness = {
  strict: true,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  target: 'es2022',
  types: ['node'],
} as const;

/**
 * Compiles a program in a folder where the package is installed, once for each compiler and resolution.
 * @param program  a file in that folder
 * @param say      called with a text about each compilation
 */
export async function checkTypes(folder: string, program: string, say: (text: string) => void): Promise<void> {
  const aliases = Object.entries(compilers).map(([version, alias]) => [`typescript-${version}`, alias] as const);
  const tools = await installTools('compilers', {
    ...Object.fromEntries(aliases),
    '@types/node': '^20.19.0',
  });
  const own = join(projectFolder, 'node_modules', 'typescript', 'bin', 'tsc');
  const all = [
    ...aliases.map(([name]) => ({ name, tsc: join(tools, 'node_modules', name, 'bin', 'tsc') })),
    { name: "this project's typescript", tsc: own },
  ];
  for (const { name, tsc } of all) {
    for (const resolution of resolutions) {
      const project = join(folder, 'types');
      await mkdir(project, { recursive: true });
      const options = { ...strictness, ...resolution, typeRoots: [join(tools, 'node_modules', '@types')] };
      const config = { compilerOptions: options, files: [join(folder, program)] };
      await writeFile(join(project, 'tsconfig.json'), JSON.stringify(config));
      await command(process.execPath, [tsc, '-p', project], { cwd: folder, timeoutMs: compileTimeoutMs });
      await rm(project, { recursive: true });
    }
    say(`types hold with ${name}, in ${resolutions.map(({ moduleResolution }) => moduleResolution).join(', ')}\n`);
  }
}
