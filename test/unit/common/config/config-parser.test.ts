import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOptions, type KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { foreignNames } from '../../../../src/common/config/option-names.ts';
import { KafkaConfigurationError } from '../../../../src/common/errors/errors.ts';

type Key = keyof typeof configOptions;
const options = Object.entries(configOptions) as [Key, (typeof configOptions)[Key]][];

/** What is wrong with the options: the problems listed. */
function problemsOf(given: Record<string, unknown>): readonly string[] {
  try {
    parseConfig(given as KafkaClientOptions);
  } catch (error) {
    assert.ok(error instanceof KafkaConfigurationError);
    return error.problems;
  }
  return [];
}

test('without options every key has its documented default', () => {
  const config = parseConfig();
  for (const [key, option] of options) {
    if (option.type === 'servers' && option.default !== null)
      assert.deepEqual(config[key], [{ host: 'localhost', port: 9092 }]);
    else assert.deepEqual(config[key], option.default, key);
  }
  assert.deepEqual(Object.keys(config), Object.keys(configOptions));
});

test('defaults that the reference names are the same here', () => {
  const config = parseConfig();
  assert.deepEqual(
    {
      reconnectBackoffMs: config.reconnectBackoffMs,
      reconnectBackoffMaxMs: config.reconnectBackoffMaxMs,
      requestTimeoutMs: config.requestTimeoutMs,
      connectionsMaxIdleMs: config.connectionsMaxIdleMs,
      retryBackoffMs: config.retryBackoffMs,
      metadataMaxAgeMs: config.metadataMaxAgeMs,
      apiVersionAutoTimeoutMs: config.apiVersionAutoTimeoutMs,
      maxInFlightRequestsPerConnection: config.maxInFlightRequestsPerConnection,
      receiveMessageMaxBytes: config.receiveMessageMaxBytes,
      apiVersion: config.apiVersion,
    },
    {
      reconnectBackoffMs: 50,
      reconnectBackoffMaxMs: 1000,
      requestTimeoutMs: 30_000,
      connectionsMaxIdleMs: 540_000,
      retryBackoffMs: 100,
      metadataMaxAgeMs: 300_000,
      apiVersionAutoTimeoutMs: 2000,
      maxInFlightRequestsPerConnection: 5,
      receiveMessageMaxBytes: 100_000_000,
      apiVersion: null,
    },
  );
});

test('controllers take the place of servers, and both together are refused', () => {
  const config = parseConfig({ bootstrapControllers: 'controller:9093' });
  assert.deepEqual(config.bootstrapServers, [{ host: 'controller', port: 9093 }]);
  assert.deepEqual(config.bootstrapControllers, config.bootstrapServers);
  assert.deepEqual(problemsOf({ bootstrapControllers: 'a:1', bootstrapServers: 'b:2' }), [
    'give only one of bootstrapServers, bootstrapControllers',
  ]);
  assert.match(problemsOf({ bootstrapControllers: 'a:none' })[0]!, /^bootstrapControllers: 'a:none'/);
});

test('undefined means the default, null does not', () => {
  for (const [key, option] of options) {
    assert.deepEqual(problemsOf({ [key]: undefined }), [], key);
    if (option.default !== null) assert.equal(problemsOf({ [key]: null }).length, 1, key);
  }
});

for (const [key, option] of options) {
  if (option.type !== 'integer') continue;
  test(`${key}: integers from ${option.min} to ${option.max}`, () => {
    // Rings as large as they get, so that only this key can be at fault.
    const others = key.endsWith('RingBytes')
      ? { spillBytes: 256 }
      : { requestRingBytes: 2 ** 30, responseRingBytes: 2 ** 30 };
    for (const value of [option.min, option.max, option.default]) {
      assert.deepEqual(problemsOf({ ...others, [key]: value }), [], `${key} ${value}`);
      assert.equal(parseConfig({ ...others, [key]: value })[key], value);
    }
    const wrong = [
      option.min - 1,
      option.max + 1,
      0.5 + option.min,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '1',
      true,
      {},
      [],
      1n,
    ];
    for (const value of wrong) {
      const [problem, ...more] = problemsOf({ ...others, [key]: value });
      assert.ok(problem?.startsWith(`${key} must be an integer from ${option.min} to ${option.max}, not `), problem);
      assert.deepEqual(more, []);
    }
  });
}

for (const [key, option] of options) {
  if (option.type === 'integer' || option.type === 'servers') continue;
  test(`${key}: values of another type are refused, named and described`, () => {
    // Some plain object is what `sslContext` takes.
    const objects = option.type === 'sslContext' ? [] : [{}];
    for (const value of [17, ...objects, ['a', 'b'], () => 1, Symbol('s')]) {
      const [problem, ...more] = problemsOf({ [key]: value });
      // Lists are what these take; tests of their own say which.
      if ((option.type === 'socketOptions' || option.type === 'topics') && Array.isArray(value)) continue;
      assert.ok(problem?.startsWith(`${key} must be `), `${key} ${String(value)}: ${problem}`);
      assert.deepEqual(more, []);
    }
  });
}

test('clientId fits a request header', () => {
  assert.deepEqual(problemsOf({ clientId: '' }), []);
  assert.deepEqual(problemsOf({ clientId: 'x'.repeat(32_767) }), []);
  assert.match(
    problemsOf({ clientId: 'x'.repeat(32_768) })[0]!,
    /clientId .*32767 bytes, not a string of 32768 characters/,
  );
  assert.match(problemsOf({ clientId: 'ü'.repeat(16_384) })[0]!, /clientId/);
});

test('apiVersion: null or one to four integers, copied', () => {
  for (const apiVersion of [[4], [2, 8], [0, 10, 2], [0, 10, 2, 1]]) {
    assert.deepEqual(parseConfig({ apiVersion }).apiVersion, apiVersion);
  }
  const given = [2, 8];
  const { apiVersion } = parseConfig({ apiVersion: given });
  given[0] = 9;
  assert.deepEqual(apiVersion, [2, 8]);
  assert.ok(Object.isFrozen(apiVersion));
  for (const wrong of [[], [1, 2, 3, 4, 5], [2, -1], [2, 0.5], ['2', '8'], '2.8', 28]) {
    assert.match(problemsOf({ apiVersion: wrong })[0]!, /^apiVersion must be null or a list/);
  }
});

test('bootstrapTopicsFilter: names of topics, each once, copied', () => {
  const given = ['logs', 'metrics.v1', 'logs'];
  const { bootstrapTopicsFilter } = parseConfig({ bootstrapTopicsFilter: given });
  given[0] = 'other';
  assert.deepEqual(bootstrapTopicsFilter, ['logs', 'metrics.v1']);
  assert.ok(Object.isFrozen(bootstrapTopicsFilter));
  for (const wrong of ['logs', 7, null]) {
    assert.match(
      problemsOf({ bootstrapTopicsFilter: wrong })[0]!,
      /^bootstrapTopicsFilter must be a list of topic names/,
    );
  }
  for (const wrong of ['', '..', 'a/b', 'x'.repeat(250), 3]) {
    assert.match(
      problemsOf({ bootstrapTopicsFilter: [wrong] })[0]!,
      /^bootstrapTopicsFilter has .* which is not a topic name/,
    );
  }
});

test("socketOptions: the caller's list is copied and never changed", () => {
  const given: [string, string, number][] = [['IPPROTO_TCP', 'TCP_NODELAY', 0]];
  for (let i = 0; i < 3; i++) {
    const { socketOptions } = parseConfig({ socketOptions: given, receiveBufferBytes: 8192, sendBufferBytes: 8192 });
    assert.notEqual(socketOptions, given);
    assert.deepEqual(socketOptions, [['IPPROTO_TCP', 'TCP_NODELAY', 0]]);
  }
  assert.deepEqual(given, [['IPPROTO_TCP', 'TCP_NODELAY', 0]]);
  const { socketOptions } = parseConfig({ socketOptions: given });
  given.push(['SOL_SOCKET', 'SO_KEEPALIVE', 1]);
  assert.equal(socketOptions!.length, 1);
});

test('selector has one choice', () => {
  assert.equal(parseConfig({}).selector, 'default');
  assert.match(problemsOf({ selector: 'epoll' })[0]!, /^selector must be one of default, not 'epoll'/);
});

test('securityProtocol names its choices', () => {
  assert.match(problemsOf({ securityProtocol: 'plaintext' })[0]!, /must be one of PLAINTEXT.*, not 'plaintext'/);
  assert.match(problemsOf({ securityProtocol: 'sasl_ssl' })[0]!, /did you mean 'SASL_SSL'\?$/);
});

test('a configuration is frozen and does not share lists with its caller', () => {
  const bootstrapServers = ['a:1'];
  const config = parseConfig({ bootstrapServers });
  bootstrapServers.push('b:2');
  assert.equal(config.bootstrapServers.length, 1);
  assert.ok(Object.isFrozen(config));
  assert.ok(Object.isFrozen(config.bootstrapServers));
  assert.ok(Object.isFrozen(config.bootstrapServers[0]));
});

test('a configuration survives structured clone', () => {
  const config = parseConfig({ bootstrapServers: 'a:1,[::1]:2', apiVersion: [2, 8] });
  assert.deepEqual(structuredClone(config), config);
});

test('all problems are reported at once, one line each', () => {
  const problems = problemsOf({
    requestTimeoutMs: 0,
    clientId: 5,
    checkCrcs: 'yes',
    bootstrapServers: [],
    apiVersion: 'x',
    retry_backoff_ms: 1,
    securityProtocol: null,
  });
  assert.equal(problems.length, 7, problems.join('\n'));
  assert.throws(
    () => parseConfig({ requestTimeoutMs: 0, retryBackoffMs: -1 }),
    (error: unknown) => error instanceof KafkaConfigurationError && /^2 problems:\n- .*\n- /.test(error.message),
  );
  assert.throws(
    () => parseConfig({ requestTimeoutMs: 0 }),
    (error: unknown) => error instanceof KafkaConfigurationError && error.message.startsWith('requestTimeoutMs must'),
  );
});

test('an empty server list is reported beside other problems', () => {
  for (const bootstrapServers of [[], '', ' , ', ['', ' ']]) {
    assert.equal(problemsOf({ bootstrapServers, requestTimeoutMs: 0 }).length, 2);
  }
});

test('every key in snake case is refused, and the error gives the right name', () => {
  for (const key of Object.keys(configOptions)) {
    const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (snake === key) continue;
    assert.deepEqual(problemsOf({ [snake]: 1 }), [`unknown configuration key '${snake}'; did you mean '${key}'?`]);
  }
});

test('a misspelt key is refused with the nearest key, an unlike key without a suggestion', () => {
  for (const [wrong, right] of [
    ['requestTimeout', 'requestTimeoutMs'],
    ['RequestTimeoutMs', 'requestTimeoutMs'],
    ['bootstrapServer', 'bootstrapServers'],
    ['clientid', 'clientId'],
    ['checkCRCs', 'checkCrcs'],
  ]) {
    assert.match(problemsOf({ [wrong!]: 1 })[0]!, new RegExp(`did you mean '${right}'`));
  }
  for (const wrong of ['x', 'brokers', 'toString', 'constructor', 'x'.repeat(10_000)]) {
    const [problem] = problemsOf({ [wrong]: 1 });
    assert.match(problem!, /^unknown configuration key/);
    assert.ok(problem!.length < 200);
    assert.doesNotMatch(problem!, /did you mean/);
  }
});

test('an option name of another client is refused, and the error gives the name here', () => {
  for (const [wrong, right] of [
    ['brokers', 'bootstrapServers'],
    ['bootstrapBrokers', 'bootstrapServers'],
    ['metadata.broker.list', 'bootstrapServers'],
    ['bootstrap.servers', 'bootstrapServers'],
    ['ssl', 'sslContext'],
    ['tls', 'sslContext'],
    ['sasl', 'saslMechanism'],
    ['connectionTimeout', 'connectionSetupTimeoutMs'],
    ['socket.timeout.ms', 'requestTimeoutMs'],
    ['request.timeout.ms', 'requestTimeoutMs'],
    ['security.protocol', 'securityProtocol'],
    ['sasl.mechanisms', 'saslMechanism'],
    ['sasl.username', 'saslPlainUsername'],
    ['sasl.password', 'saslPlainPassword'],
    ['sasl.jaas.config', 'saslPlainUsername'],
    ['ssl.ca.location', 'sslCaFile'],
    ['ssl.truststore.location', 'sslCaFile'],
    ['ssl.endpoint.identification.algorithm', 'sslCheckHostname'],
    ['ssl_cafile', 'sslCaFile'],
    ['max.in.flight.requests.per.connection', 'maxInFlightRequestsPerConnection'],
    ['metadata.max.age.ms', 'metadataMaxAgeMs'],
    ['logCreator', 'logger'],
    ['client.id', 'clientId'],
  ] as const) {
    assert.match(
      problemsOf({ [wrong]: 1 })[0]!,
      new RegExp(`^unknown configuration key '.*'; .*\\b${right}\\b`),
      wrong,
    );
  }
});

test('every name of another client leads to options that exist', () => {
  const names = (text: string) =>
    text.match(
      /\b(?:ssl|sasl|bootstrap|request|connection|retry|reconnect|metadata|max|log|proxy|socket|send|receive|api|metrics|security)[A-Z]\w*/g,
    ) ?? [];
  for (const [foreign, right] of Object.entries(foreignNames)) {
    assert.match(foreign, /^[a-z0-9]+$/);
    for (const name of names(right.replaceAll(/\{.*?\}+/g, '')))
      assert.ok(Object.hasOwn(configOptions, name), `${foreign}: ${name}`);
  }
});

test('a configuration that is not an object is refused', () => {
  for (const wrong of [null, 5, 'localhost:9092', true]) {
    assert.throws(() => parseConfig(wrong as never), /configuration must be an object, not /);
  }
});

test('rings must hold two bodies of spillBytes', () => {
  for (const key of ['requestRingBytes', 'responseRingBytes'] as const) {
    assert.deepEqual(problemsOf({ [key]: 128 * 1024 }), [
      `spillBytes is 65536; with ${key} 131072 it may be at most 65520`,
    ]);
    assert.deepEqual(problemsOf({ [key]: 128 * 1024, spillBytes: 65_520 }), []);
    // Rounded up to the next power of two.
    assert.deepEqual(problemsOf({ [key]: 128 * 1024 + 1 }), []);
  }
});

test('plain frames go to the codec pool never, or from a size on at which frames have memory of their own', () => {
  for (const codecPoolPlainBytes of [0, 65_536, 2 ** 31 - 1]) assert.deepEqual(problemsOf({ codecPoolPlainBytes }), []);
  for (const codecPoolPlainBytes of [1, 65_535])
    assert.deepEqual(problemsOf({ codecPoolPlainBytes }), [
      `codecPoolPlainBytes is ${codecPoolPlainBytes}; it must be 0, which is never, or at least 65536`,
    ]);
  assert.equal(problemsOf({ codecPoolPlainBytes: -1 }).length, 1);
});

test('values in messages are short, and no secret is shown', () => {
  const [problem] = problemsOf({ checkCrcs: 's'.repeat(5000) });
  assert.equal(problem, 'checkCrcs must be a boolean, not a string of 5000 characters');
});

test('each option has a description', () => {
  for (const [key, option] of options) assert.match(option.doc, /^[A-Z].*\.$/, key);
});
