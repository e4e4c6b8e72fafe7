import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { KafkaConfigurationError } from '../../../../src/common/errors/errors.ts';
import { dialWithOptions, socketOptionsOf } from '../../../../src/worker/net/dial.ts';

test('Node sets no-delay and keep-alive, the last entry counts, and all other options keep their order', () => {
  const { byNode, native } = socketOptionsOf(
    parseConfig({
      socketOptions: [
        ['SOL_SOCKET', 'SO_RCVBUF', 1000],
        ['SOL_SOCKET', 'SO_KEEPALIVE', false],
        ['IPPROTO_TCP', 'TCP_NODELAY', 1],
        [6, 1, 0],
        ['IPPROTO_TCP', 'TCP_KEEPCNT', 3],
      ],
      receiveBufferBytes: 2000,
      sendBufferBytes: 3000,
    }),
  );
  assert.deepEqual(byNode, { noDelay: false, keepAlive: false, keepAliveInitialDelay: 60_000 });
  assert.deepEqual(
    native.map(({ level, option, value }) => [level, option, value]),
    [
      [1, 8, 1000],
      [6, 6, 3],
      [1, 8, 2000],
      [1, 7, 3000],
    ],
  );
  assert.deepEqual(socketOptionsOf(parseConfig()).native, []);
});

test('a package that is missing or broken is a configuration error that names it', {
  skip: process.platform !== 'linux',
}, () => {
  const { byNode, native } = socketOptionsOf(parseConfig({ receiveBufferBytes: 1000 }));
  const missing = Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
  const cases: [Error, RegExp][] = [
    [missing, /receiveBufferBytes .*need the package 'koffi', which is not installed: npm install koffi/],
    [new Error('wrong ELF class'), /'koffi', which cannot be loaded: wrong ELF class/],
  ];
  for (const [thrown, pattern] of cases) {
    const load = (): never => {
      throw thrown;
    };
    assert.throws(
      () => dialWithOptions(byNode, native, load),
      (error) => error instanceof KafkaConfigurationError && pattern.test(error.message),
    );
  }
});

test('all wrong entries are named by their index', () => {
  const socketOptions = [
    ['SOL_SOCKET', 'SO_RCVBUF'],
    ['SOL_SOKET', 'SO_RCVBUF', 1],
    ['SOL_SOCKET', 'TCP_NODELAY', 1],
    ['SOL_SOCKET', 'SO_RCVBUF', 2 ** 31],
    ['SOL_SOCKET', 'constructor', '1'],
    'TCP_NODELAY',
  ];
  assert.throws(
    () => parseConfig({ socketOptions } as never),
    (error) => {
      assert.ok(error instanceof KafkaConfigurationError);
      const places = error.problems.map((problem) => /^socketOptions\[(\d)\]/.exec(problem)?.[1]);
      assert.deepEqual(places, ['0', '1', '2', '3', '4', '4', '5']);
      return true;
    },
  );
});

test('options that need the package do not go through a proxy', () => {
  const proxyUrl = 'http://proxy.test';
  const refused = [{ receiveBufferBytes: 1 }, { sendBufferBytes: 1 }, { socketOptions: [[1, 8, 1]] }] as const;
  for (const options of refused) {
    assert.throws(() => parseConfig({ proxyUrl, ...options }), /proxyUrl: through a proxy no socketOptions/);
  }
  parseConfig({ proxyUrl, socketOptions: [['IPPROTO_TCP', 'TCP_NODELAY', 0]] });
});
