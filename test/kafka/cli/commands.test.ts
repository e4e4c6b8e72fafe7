// Each command of the command line against a real broker, and beside Kafka's own tool on the same broker: facts, not the layout.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { type Ended, runCommandLine } from '../../helpers/command-line.ts';
import { describeKafka, isKafkaRequired, type KafkaTools, kafkaTools, toolsAvailability } from '../fixture/index.ts';

const tools = toolsAvailability();
const skip = !tools.available && !isKafkaRequired() ? tools.reason : false;

const extraProperties = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
};

describeKafka(
  "the command line beside Kafka's own tools",
  (suite) => {
    let kafka: KafkaTools;
    let servers: string;

    before(async () => {
      servers = suite.kafka.bootstrapServers.join(',');
      if (skip === false) kafka = await kafkaTools();
    });

    const ours = async (args: readonly string[], input = ''): Promise<Ended> => {
      const ended = await runCommandLine(args, { input, environment: { KAFKA_BOOTSTRAP_SERVERS: servers } });
      return ended;
    };
    /** Ends with success. */
    const good = async (args: readonly string[], input = ''): Promise<readonly string[]> => {
      const ended = await ours(args, input);
      assert.equal(ended.exitCode, 0, `${args.join(' ')} ended with ${ended.exitCode}:\n${ended.stderr}`);
      return ended.lines;
    };
    const rows = async (args: readonly string[]): Promise<Record<string, unknown>[]> =>
      (await good([...args, '--output', 'json'])).map((line) => JSON.parse(line) as Record<string, unknown>);
    const theirs = async (name: string, args: readonly string[], input = ''): Promise<string[]> => {
      const text = await kafka.run(name, ['--bootstrap-server', servers, ...args], { input });
      return text
        .split('\n')
        .map((line) => line.trimEnd())
        .filter((line) => line !== '');
    };
    /** Fields of a table of theirs, by the titles of its first line. */
    const table = (lines: readonly string[]): Record<string, string>[] => {
      // The tool may warn before the table.
      const from = lines.findIndex((line) => line.startsWith('GROUP'));
      const [head, ...body] = lines.slice(Math.max(from, 0)).map((line) => line.split(/\s+/));
      return body.map((fields) => Object.fromEntries(head!.map((title, i) => [title, fields[i] ?? ''])));
    };

    test('topics: kafka-topics sees what is created, altered and deleted', { skip }, async () => {
      await good(['topics', '--create', '--topic', 'cli-a', '--partitions', '2', '--config', 'retention.ms=1000000']);
      await theirs('TopicCommand', ['--create', '--topic', 'cli-b', '--partitions', '3']);
      assert.deepEqual(await good(['topics', '--list']), await theirs('TopicCommand', ['--list']));
      await good(['topics', '--alter', '--topic', 'cli-a', '--partitions', '4']);
      const described = await theirs('TopicCommand', ['--describe', '--topic', 'cli-a']);
      const [topic] = await rows(['topics', '--describe', '--topic', 'cli-a']);
      assert.ok(described[0]!.includes(`TopicId: ${String(topic!.topicId)}`), described[0]);
      assert.match(described[0]!, /PartitionCount: 4/);
      assert.match(described[0]!, /retention\.ms=1000000/);
      assert.deepEqual(topic!.configs, { 'retention.ms': '1000000' });
      const leaders = described.slice(1).map((line) => Number(/Leader: (\d+)/.exec(line)![1]));
      assert.deepEqual(
        (topic!.partitions as { leader: number }[]).map(({ leader }) => leader),
        leaders,
      );
      await good(['topics', '--delete', '--topic', 'cli-b']);
      assert.deepEqual(await theirs('TopicCommand', ['--list']), ['cli-a']);
      const again = await ours(['topics', '--create', '--topic', 'cli-a']);
      assert.equal(again.exitCode, 1);
      assert.match(again.stderr, /exists/);
      await good(['topics', '--create', '--topic', 'cli-a', '--if-not-exists']);
      assert.equal((await ours(['topics', '--delete', '--topic', 'cli-none'])).exitCode, 5);
    });

    test('metadata: brokers and topics are the same as in kafka-topics and kafka-broker-api-versions', {
      skip,
    }, async () => {
      const [cluster] = await rows(['metadata']);
      const topics = (cluster!.topics as { name: string }[]).map(({ name }) => name);
      assert.deepEqual(topics.sort(), await theirs('TopicCommand', ['--list']));
      const [broker] = cluster!.brokers as { nodeId: number; host: string; port: number }[];
      const [said] = await theirs('BrokerApiVersionsCommand', []);
      assert.ok(said!.startsWith(`${broker!.host}:${broker!.port} (id: ${broker!.nodeId} `), said);
    });

    test('versions: the ranges are the same as in kafka-broker-api-versions', { skip }, async () => {
      const said = new Map<string, string>();
      for (const line of await theirs('BrokerApiVersionsCommand', [])) {
        const match = /^\s*(\w+)\((\d+)\): (?:(\d+) to (\d+)|(\d+)) \[/.exec(line);
        if (match !== null) said.set(match[2]!, `${match[3] ?? match[5]}-${match[4] ?? match[5]}`);
      }
      const found = (await rows(['versions'])).map(({ key, min, max }) => [String(key), `${min}-${max}`] as const);
      assert.ok(said.size > 50, `${said.size} APIs`);
      // Their tool leaves out the APIs that Java's client does not know.
      for (const [key, range] of said) assert.equal(new Map(found).get(key), range, `API ${key}`);
    });

    test('produce: kafka-console-consumer reads what is sent from lines and from JSON', { skip }, async () => {
      await good(['topics', '--create', '--topic', 'cli-produce', '--partitions', '1']);
      const lines = 'k1\tv1\nk2\tvälue 2\n';
      await good(['produce', '--topic', 'cli-produce', '--reader-property', 'parse.key=true'], lines);
      const json = [
        { key: 'k3', value: { a: [1, 'x'] }, headers: { h: '1' }, timestamp: 1_700_000_000_000 },
        { value: null, key: 'tombstone' },
        { value: { base64: Buffer.from('raw').toString('base64') } },
      ];
      await good(
        ['produce', '--topic', 'cli-produce', '--json', '--compression-codec', 'zstd'],
        json.map((record) => `${JSON.stringify(record)}\n`).join(''),
      );
      const print = ['print.key=true', 'print.headers=true', 'null.literal=<null>'];
      const read = await theirs('consumer.ConsoleConsumer', [
        '--topic',
        'cli-produce',
        '--from-beginning',
        '--max-messages',
        '5',
        '--timeout-ms',
        '200000',
        ...print.flatMap((property) => ['--formatter-property', property]),
      ]);
      assert.deepEqual(read.slice(0, 5), [
        'NO_HEADERS\tk1\tv1',
        'NO_HEADERS\tk2\tvälue 2',
        'h:1\tk3\t{"a":[1,"x"]}',
        'NO_HEADERS\ttombstone\t<null>',
        'NO_HEADERS\t<null>\traw',
      ]);
    });

    test('consume: partitions and a group read what kafka-console-producer sends', {
      skip,
    }, async () => {
      await good(['topics', '--create', '--topic', 'cli-consume', '--partitions', '1']);
      const input = Array.from({ length: 100 }, (_, i) => `key ${i}\tvalue ${i} ✓\n`).join('');
      await theirs(
        'ConsoleProducer',
        ['--topic', 'cli-consume', '--reader-property', 'parse.key=true', '--compression-codec', 'lz4'],
        input,
      );
      const from = ['--topic', 'cli-consume', '--from-beginning', '--exit'];
      assert.equal(`${(await good(['consume', ...from, '--format', '%k\\t%s\\n'])).join('\n')}\n`, input);
      const json = (await good(['consume', ...from, '--json'])).map((line) => JSON.parse(line) as { offset: number });
      assert.deepEqual(
        json.map(({ offset }) => offset),
        Array.from({ length: 100 }, (_, i) => i),
      );
      assert.deepEqual(await good(['consume', '--topic', 'cli-consume', '--offset', '-2', '--exit']), [
        'value 98 ✓',
        'value 99 ✓',
      ]);
      const group = ['consume', ...from, '--group', 'cli-readers'];
      assert.equal((await good([...group, '--max-messages', '40'])).length, 40);
      assert.equal((await good(group))[0], 'value 40 ✓');
      assert.deepEqual(await good(group), []);
    });

    test('offsets: lines are the same as from kafka-get-offsets', { skip }, async () => {
      for (const more of [
        ['--topic', 'cli-produce'],
        ['--topic', 'cli-consume', '--time', 'earliest'],
        ['--topic', 'cli-consume', '--time', '-3'],
        ['--topic-partitions', 'cli-a:0-2,cli-a:3'],
      ]) {
        assert.deepEqual(
          [...(await good(['offsets', ...more]))].sort(),
          (await theirs('GetOffsetShell', more)).sort(),
          more.join(' '),
        );
      }
      assert.equal((await ours(['offsets', '--topic', 'cli-none'])).exitCode, 5);
    });

    test('groups: list, lag and states are the same as in kafka-consumer-groups', { skip }, async () => {
      assert.deepEqual(
        [...(await good(['groups', '--list']))].sort(),
        (await theirs('consumer.group.ConsumerGroupCommand', ['--list'])).sort(),
      );
      const said = table(
        await theirs('consumer.group.ConsumerGroupCommand', ['--describe', '--group', 'cli-readers']),
      ).filter((row) => row.TOPIC === 'cli-consume');
      const found = await rows(['groups', '--describe', '--group', 'cli-readers']);
      assert.deepEqual(
        found.map(({ topic, partition, currentOffset, logEndOffset, lag }) =>
          [topic, partition, currentOffset, logEndOffset, lag].map(String),
        ),
        said.map((row) => [row.TOPIC, row.PARTITION, row['CURRENT-OFFSET'], row['LOG-END-OFFSET'], row.LAG]),
      );
      assert.equal(said.length, 1);
      const [state] = await rows(['groups', '--describe', '--state', '--group', 'cli-readers']);
      assert.equal(state!.state, 'Empty');
      assert.equal((await ours(['groups', '--describe', '--group', 'cli-none'])).exitCode, 5);
    });

    const resets: readonly (readonly [flags: readonly string[], offset: number])[] = [
      [['--to-earliest'], 0],
      [['--to-offset', '17'], 17],
      [['--shift-by', '3'], 20],
      [['--shift-by', '-100'], 0],
      [['--to-offset', '5000'], 100],
      [['--to-datetime', '2001-01-01T00:00:00.000'], 0],
      [['--by-duration', 'PT0S'], 100],
      [['--to-current'], 100],
      [['--to-latest'], 100],
    ];
    test('groups --reset-offsets: plans are the same as in kafka-consumer-groups, and are carried out', {
      skip,
    }, async () => {
      const common = ['--reset-offsets', '--group', 'cli-readers', '--topic', 'cli-consume'];
      for (const [flags, offset] of resets) {
        const plan = await rows(['groups', ...common, ...flags]);
        const said = table(await theirs('consumer.group.ConsumerGroupCommand', [...common, ...flags, '--dry-run']));
        assert.deepEqual(
          plan.map(({ topic, partition, newOffset }) => [topic, partition, newOffset].map(String)),
          said.filter((row) => row.TOPIC === 'cli-consume').map((row) => [row.TOPIC, row.PARTITION, row['NEW-OFFSET']]),
          flags.join(' '),
        );
        assert.equal(plan[0]!.newOffset, offset, flags.join(' '));
        await good(['groups', ...common, ...flags, '--execute']);
        const [row] = await rows(['groups', '--describe', '--group', 'cli-readers']);
        assert.equal(row!.currentOffset, offset, flags.join(' '));
      }
    });

    // Kafka's tool needs a package for CSV that is not among the jars of the fixture, so both ways are ours.
    test('groups: a plan can be written to a file and read back', { skip }, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'cli-reset-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const file = join(folder, 'plan.csv');
      const common = ['--reset-offsets', '--group', 'cli-readers'];
      const plan = await good(['groups', ...common, '--topic', 'cli-consume', '--to-offset', '7', '--export']);
      assert.deepEqual(plan, ['"cli-consume",0,7']);
      const offset = async (): Promise<unknown> =>
        (await rows(['groups', '--describe', '--group', 'cli-readers']))[0]!.currentOffset;
      for (const [text, expected] of [
        [plan.join('\n'), 7],
        ['cli-consume,0,9\n', 9],
        ['cli-readers,cli-consume,0,11\n', 11],
      ] as const) {
        writeFileSync(file, text);
        await good(['groups', ...common, '--from-file', file, '--execute']);
        assert.equal(await offset(), expected, text);
      }
      writeFileSync(file, 'cli-consume,0,9\ncli-consume;0;9\n');
      const bad = await ours(['groups', ...common, '--from-file', file, '--execute']);
      assert.equal(bad.exitCode, 6);
      assert.match(bad.stderr, /plan\.csv, line 2/);
      assert.equal(await offset(), 11);
    });

    test('groups: offsets and groups are deleted', { skip }, async () => {
      await good(['groups', '--delete-offsets', '--group', 'cli-readers', '--topic', 'cli-consume']);
      assert.deepEqual(await rows(['groups', '--describe', '--group', 'cli-readers']), []);
      await good(['groups', '--delete', '--group', 'cli-readers']);
      assert.ok(!(await theirs('consumer.group.ConsumerGroupCommand', ['--list'])).includes('cli-readers'));
    });

    test('configs: kafka-configs shows what is changed', { skip }, async () => {
      const topic = ['--entity-type', 'topics', '--entity-name', 'cli-a'];
      const change = 'cleanup.policy=[compact,delete],max.message.bytes=1234';
      await good(['configs', '--alter', ...topic, '--add-config', change, '--delete-config', 'retention.ms']);
      const said = (await theirs('ConfigCommand', ['--describe', ...topic])).slice(1);
      const found = await rows(['configs', '--describe', ...topic]);
      assert.deepEqual(
        found.map(({ name, value }) => `${name}=${value}`).sort(),
        said.map((line) => line.trim().split(' sensitive=')[0]!).sort(),
      );
      assert.equal(found.length, 2);
      const bad = await ours(['configs', '--alter', ...topic, '--add-config', 'retention.ms=soon']);
      assert.equal(bad.exitCode, 1);
      assert.match(bad.stderr, /retention\.ms/);
    });

    test('configs: quotas and SCRAM users are the same as in kafka-configs', { skip }, async () => {
      const user = ['--entity-type', 'users', '--entity-name', 'alice'];
      const change = 'SCRAM-SHA-256=[iterations=8192,password=hunter2],producer_byte_rate=2048';
      const changed = await good(['configs', '--alter', ...user, '--add-config', change]);
      assert.ok(!changed.join('').includes('hunter2'));
      const said = (await theirs('ConfigCommand', ['--describe', ...user])).join('\n');
      assert.match(said, /producer_byte_rate=2048/);
      assert.match(said, /SCRAM-SHA-256=iterations=8192/);
      assert.deepEqual(
        (await rows(['configs', '--describe', ...user])).map(({ name, value }) => [name, value]),
        [
          ['producer_byte_rate', 2048],
          ['SCRAM-SHA-256', 'iterations=8192'],
        ],
      );
      await good(['configs', '--alter', ...user, '--delete-config', 'SCRAM-SHA-256,producer_byte_rate']);
      assert.deepEqual(await rows(['configs', '--describe', ...user]), []);
    });

    test('acls: entries are the same as in kafka-acls', { skip }, async () => {
      const add = ['--allow-principal', 'User:bob', '--topic', 'cli-a', '--group', 'g', '--consumer'];
      await good(['acls', '--add', ...add]);
      await good(['acls', '--add', '--deny-principal', 'User:eve', '--operation', 'Write', '--topic', 'cli-a']);
      const said = (await theirs('AclCommand', ['--list'])).flatMap((line) => {
        const match = /principal=(\S+), host=(\S+), operation=(\S+), permissionType=(\w+)/.exec(line);
        return match === null ? [] : [match.slice(1).join(' ').toLowerCase()];
      });
      const found = (await rows(['acls', '--list'])).map(({ principal, host, operation, permission }) =>
        [principal, host, operation, permission].map(String).join(' ').toLowerCase(),
      );
      assert.deepEqual(found.sort(), said.sort());
      assert.equal(found.length, 4);
      await good(['acls', '--remove', '--topic', 'cli-a']);
      await good(['acls', '--remove', '--group', 'g']);
      assert.deepEqual(await rows(['acls', '--list']), []);
    });

    test('request: the answer has the requested version', { skip }, async () => {
      const body = '{"topics":[{"name":"cli-a"}]}';
      const answer = JSON.parse((await good(['request', 'Metadata', body, '--version', '9']))[0]!) as {
        topics: { name: string; partitions: unknown[] }[];
      };
      const described = await theirs('TopicCommand', ['--describe', '--topic', 'cli-a']);
      assert.equal(answer.topics[0]!.partitions.length, described.length - 1);
      const piped = await good(
        ['request', 'FindCoordinator', '-', '--version', '4'],
        '{"keyType":0,"coordinatorKeys":["g"]}',
      );
      assert.match(piped[0]!, /"key":"g"/);
      const unsupported = await ours(['request', 'Metadata', body, '--version', '99']);
      assert.notEqual(unsupported.exitCode, 0);
    });

    test('bench: counts what it sends and reads', { skip }, async () => {
      await good(['topics', '--create', '--topic', 'cli-bench', '--partitions', '2']);
      const size = ['--topic', 'cli-bench', '--num-records', '5000', '--record-size', '50'];
      const [sent] = await rows(['bench', 'produce', ...size]);
      assert.equal(sent!.records, 5000);
      assert.equal(sent!.failed, 0);
      const ends = (await theirs('GetOffsetShell', ['--topic', 'cli-bench'])).map((line) => Number(line.split(':')[2]));
      assert.equal(
        ends.reduce((sum, end) => sum + end, 0),
        5000,
      );
      const [read] = await rows(['bench', 'consume', '--topic', 'cli-bench']);
      assert.equal(read!.records, 5000);
    });
  },
  { extraProperties },
);
