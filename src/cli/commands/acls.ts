// Owns the command `acls`: what kafka-acls does. Main thread.

import type { Command } from 'commander';
import type { AclBinding, AclFilter } from '../../index.ts';
import { type AclFlags, bindingsOf, filtersOf, resourcesOf } from '../acls/acl-flags.ts';
import { type Context, jsonText } from '../context.ts';
import { exitCodes, UsageError } from '../exit-codes.ts';
import { type Declaration, gathered, oneOf } from '../flags.ts';
import { reportOutcomes } from '../io/outcomes.ts';

export const acls: Declaration = {
  name: 'acls',
  description: 'list, add and remove access control lists',
  help: `Examples:
  offthread-kafka acls --list --bootstrap-server localhost:9092
  offthread-kafka acls --add --allow-principal User:alice --operation read --topic orders --group billing
  offthread-kafka acls --add --allow-principal User:bob --producer --topic orders
  offthread-kafka acls --remove --topic orders`,
  uses: ['tables'],
  flags: (command: Command) => {
    command
      .option('--list', 'list entries')
      .option('--add', 'add entries')
      .option('--remove', 'remove all entries that match')
      .option('--topic <name>', "a topic, or '*'", gathered)
      .option('--group <name>', "a group, or '*'", gathered)
      .option('--cluster', 'the cluster')
      .option('--transactional-id <id>', "a transactional id, or '*'", gathered)
      .option('--delegation-token <id>', "a delegation token, or '*'", gathered)
      .option('--user-principal <name>', 'a user, for tokens on behalf of it', gathered)
      .option('--resource-pattern-type <type>', 'literal, prefixed, match or any', 'literal')
      .option('--allow-principal <principal>', 'such as User:alice', gathered)
      .option('--deny-principal <principal>', 'such as User:mallory', gathered)
      .option('--principal <principal>', 'list and remove: only entries of this principal', gathered)
      .option('--allow-host <host>', 'address from which allowed principals may come', gathered)
      .option('--deny-host <host>', 'address from which denied principals may not come', gathered)
      .option('--operation <name>', 'such as read, write, describe (default: all)', gathered)
      .option('--producer', 'what a producer needs')
      .option('--consumer', 'what a consumer needs')
      .option('--idempotent', 'with --producer: also for idempotence')
      .option('--force', 'accepted as by kafka-acls; nothing is asked here');
  },
  run: async (context: Context, flags: AclFlags) => {
    const action = oneOf(flags, ['list', 'add', 'remove'] as const);
    // Everything is checked before a connection is made.
    const bindings = action === 'add' ? bindingsOf(flags) : [];
    const filters = action === 'add' ? [] : filtersOf(flags);
    if (action === 'remove' && resourcesOf(flags).length === 0)
      throw new UsageError('--remove needs a resource, such as --topic NAME');
    const admin = (await context.client()).admin({ timeoutMs: context.timeoutMs });
    if (action === 'add') {
      return reportOutcomes(context, 'added', await admin.createAcls(bindings), { nameOf: bindingText });
    }
    if (action === 'list') {
      const found = (await Promise.all(filters.map((filter) => admin.describeAcls(filter)))).flat();
      await show(context, found);
      return exitCodes.success;
    }
    const results = await admin.deleteAcls(filters);
    let exitCode = reportOutcomes(context, null, results, { nameOf: filterText });
    for (const outcome of results.values()) {
      if (!outcome.ok) continue;
      const code = reportOutcomes(context, 'removed', outcome.value, { nameOf: bindingText });
      if (code !== exitCodes.success) exitCode = code;
    }
    return exitCode;
  },
};

async function show(context: Context, found: readonly AclBinding[]): Promise<void> {
  await context.rows(
    [
      { key: 'resourceType', title: 'RESOURCE' },
      { key: 'resourceName', title: 'NAME' },
      { key: 'patternType', title: 'PATTERN' },
      { key: 'principal', title: 'PRINCIPAL' },
      { key: 'host', title: 'HOST' },
      { key: 'operation', title: 'OPERATION' },
      { key: 'permission', title: 'PERMISSION' },
    ],
    found.map((binding) => ({ ...binding })),
  );
}

function bindingText(binding: AclBinding): string {
  const { resourceType, resourceName, patternType, principal, host, operation, permission } = binding;
  return `${permission} ${principal} from ${host} to ${operation} ${resourceType} ${resourceName} (${patternType})`;
}

function filterText(filter: AclFilter): string {
  return jsonText(filter);
}
