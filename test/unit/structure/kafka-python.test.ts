// docs/kafka-python.md: every key and method of kafka-python is there, and the names and tests in it exist.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../../../scripts/project.ts';
import { Cluster, configOptions, Future, KafkaClient } from '../../../src/index.ts';

const page = readFileSync(join(projectFolder, 'docs', 'kafka-python.md'), 'utf8');

/** Keys of kafka-python 2.0.2: its documented ones, and those of its defaults besides. */
const keys =
  `bootstrap_servers client_id reconnect_backoff_ms reconnect_backoff_max_ms request_timeout_ms connections_max_idle_ms
  retry_backoff_ms max_in_flight_requests_per_connection receive_buffer_bytes send_buffer_bytes socket_options metadata_max_age_ms
  security_protocol ssl_context ssl_check_hostname ssl_cafile ssl_certfile ssl_keyfile ssl_password ssl_crlfile ssl_ciphers
  api_version api_version_auto_timeout_ms selector metrics metric_group_prefix sasl_mechanism sasl_plain_username
  sasl_plain_password sasl_kerberos_service_name sasl_kerberos_domain_name sasl_oauth_token_provider bootstrap_topics_filter
  sock_chunk_bytes sock_chunk_buffer_count wakeup_timeout_ms`.split(/\s+/);

const clientMethods = `add_topic bootstrap_connected check_version close connected connection_delay get_api_versions
  in_flight_request_count is_disconnected is_ready least_loaded_node maybe_connect poll ready send set_topics wakeup`.split(
  /\s+/,
);

const clusterMembers = `brokers broker_metadata is_bootstrap topics partitions_for_topic available_partitions_for_topic
  leader_for_partition partitions_for_broker coordinator_for_group add_group_coordinator controller unauthorized_topics
  internal_topics need_all_topic_metadata cluster_id request_update ttl refresh_backoff add_listener remove_listener
  with_partitions`.split(/\s+/);

const futureMembers =
  'is_done value exception success failure succeeded failed retriable add_callback add_errback add_both chain'.split(
    ' ',
  );

/** Cells of the rows of each table in a section. */
function rows(section: string): string[][] {
  const text = page.split(/^## /m).find((part) => part.startsWith(`${section}\n`));
  assert.ok(text !== undefined, `a section "${section}"`);
  const lines = text.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const namesIn = (cell: string): string[] => [...cell.matchAll(/`(?:await )?(\w+)[^`]*`/g)].map(([, name]) => name!);
const camelCase = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

const pairs = (a: readonly string[], b: readonly string[]) => a.map((name, i) => [name, b[i] ?? ''] as const);

function mapped(section: string): { theirs: Set<string>; ours: Set<string> } {
  const cells = rows(section);
  return {
    theirs: new Set(cells.flatMap(([theirs]) => namesIn(theirs!))),
    ours: new Set(cells.flatMap(([, ours]) => namesIn(ours!))),
  };
}

test('every key of kafka-python is mapped to one that exists', () => {
  const { theirs, ours } = mapped('Configuration');
  assert.deepEqual(
    keys.filter((key) => !theirs.has(key)),
    [],
  );
  assert.deepEqual(
    [...ours].filter((key) => !(key in configOptions)),
    [],
  );
});

test('every method of its client, cluster and future is mapped to one that exists', () => {
  for (const [section, members, type] of [
    ['Methods of the client', clientMethods, KafkaClient],
    ['Cluster', clusterMembers, Cluster],
  ] as const) {
    const { theirs, ours } = mapped(section);
    assert.deepEqual(
      members.filter((name) => !theirs.has(name)),
      [],
      section,
    );
    for (const name of members) {
      assert.ok(ours.has(camelCase(name)), `${section}: ${name}`);
      assert.ok(camelCase(name) in type.prototype, `${type.name}: ${name}`);
    }
  }
  for (const name of futureMembers) {
    assert.ok(page.includes(camelCase(name)), name);
    assert.ok(camelCase(name) in Future.prototype, name);
  }
});

test('every key and method has a row in test/reference.md', () => {
  const reference = readFileSync(join(projectFolder, 'test', 'reference.md'), 'utf8');
  const ours = new Map(rows('Configuration').flatMap(([theirs, here]) => pairs(namesIn(theirs!), namesIn(here!))));
  const names = [
    ...keys.map((key) => ours.get(key) ?? key),
    ...[...clientMethods, ...clusterMembers, ...futureMembers].map(camelCase),
  ];
  assert.deepEqual(
    names.filter((name) => !new RegExp(`\\b${name}\\b`).test(reference)),
    [],
  );
});

test('every fault of kafka-python names a test that exists', () => {
  const faults = rows('Faults of kafka-python that are not here');
  assert.ok(faults.length >= 40);
  for (const [fault, , where] of faults) {
    const [, file, name] = /^([\w/-]+): (.*)$/.exec(where!) ?? [];
    assert.ok(file !== undefined && name !== undefined, `${fault}: names no test`);
    const source = readFileSync(join(projectFolder, 'test', `${file}.test.ts`), 'utf8').replaceAll("\\'", "'");
    assert.ok(source.includes(name), `${file} has no test "${name}"`);
  }
});
