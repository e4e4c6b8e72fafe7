// Prints docs/commands: a page for each command of the command line, from its declaration. `npm run generate:commands` writes them, and a
// structure test compares them. Must not say anything of its own about a command.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { addCommonFlags, type Declaration } from '../src/cli/flags.ts';
import { commandOf, declarations, exitCodeHelp } from '../src/cli/program.ts';
import { projectFolder } from './project.ts';

export const commandsFolder = join(projectFolder, 'docs', 'commands');

/** The text of each page, by the name of its file. */
export function commandPages(): Map<string, string> {
  return new Map(declarations.map((declaration) => [`${declaration.name}.md`, pageOf(declaration)]));
}

function pageOf(declaration: Declaration): string {
  const { name, description, help = '' } = declaration;
  const command = commandOf(declaration);
  const bare = new Command();
  addCommonFlags(bare);
  const common = bare.options.map(({ long }) => long);
  const own = command.options.filter(({ long }) => !common.includes(long));
  const shared = command.options.filter(({ long }) => common.includes(long));
  const [before, examples] = parted(help);
  const operands = command.registeredArguments.map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`));
  return `<!-- made by npm run generate:commands; do not edit -->

# offthread-kafka ${name}

## Name

\`offthread-kafka ${name}\`: ${description}

## Synopsis

\`\`\`
${['npx offthread-kafka', name, ...operands, '[flags]'].join(' ')}
\`\`\`
${before === '' ? '' : `\n## Description\n\n\`\`\`\n${before}\n\`\`\`\n`}
${command.registeredArguments.length === 0 ? '' : `## Arguments\n\n${operandTable(command)}\n\n`}## Flags

${flagTable(own)}

Flags of every command:

${flagTable(shared)}

## Exit codes and settings

\`\`\`
${exitCodeHelp.trim()}
\`\`\`

## Examples

\`\`\`
${examples}
\`\`\`

[The command line](../command-line.md) explains settings, security and output.
`;
}

type Options = readonly Command['options'][number][];

function flagTable(options: Options): string {
  const rows = options.map(({ flags, description, argChoices, defaultValue, mandatory }) => {
    const choices = argChoices === undefined ? '' : `: ${argChoices.join(', ')}`;
    const usual = defaultValue === undefined ? '' : ` (default: ${String(defaultValue)})`;
    return `| \`${flags.replaceAll('|', '\\|')}\` | ${escaped(`${description}${choices}${usual}${mandatory ? '; needed' : ''}`)} |`;
  });
  return ['| flag | meaning |', '|---|---|', ...rows].join('\n');
}

function operandTable(command: Command): string {
  const rows = command.registeredArguments.map((one) => `| \`${one.name()}\` | ${escaped(one.description)} |`);
  return ['| argument | meaning |', '|---|---|', ...rows].join('\n');
}

/** What stands before the examples, and these without their indent. */
function parted(help: string): [before: string, examples: string] {
  const at = /^Examples?:\n/m.exec(help);
  if (at === null) return [help.trim(), ''];
  const examples = help.slice(at.index + at[0].length).replace(/^ {2}/gm, '');
  return [help.slice(0, at.index).trim(), examples.trim()];
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

if (process.argv[1]?.replace(/\.[jt]s$/, '').endsWith('command-pages') === true) {
  mkdirSync(commandsFolder, { recursive: true });
  const pages = commandPages();
  for (const name of readdirSync(commandsFolder)) if (!pages.has(name)) rmSync(join(commandsFolder, name));
  for (const [name, text] of pages) writeFileSync(join(commandsFolder, name), text);
}
