// Configuration of the command line: properties files, JAAS, TLS stores, Java's keys, environment variables.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { getCiphers } from 'node:tls';
import { commandConfig } from '../../../src/cli/config/client-options.ts';
import { parseJaas } from '../../../src/cli/config/jaas.ts';
import { parseProperties } from '../../../src/cli/config/properties.ts';
import { openSslName } from '../../../src/cli/config/tls.ts';
import { environmentProperties } from '../../../src/cli/context.ts';
import { UsageError } from '../../../src/cli/exit-codes.ts';

const configOf = (properties: Readonly<Record<string, string>>) => commandConfig(new Map(Object.entries(properties)));

describe('properties files', () => {
  test('are read as Java reads them', () => {
    const text = [
      '# a comment',
      '! another',
      'a=1',
      ' b : 2 ',
      'c 3',
      'd=x\\',
      '   y',
      'e\\ f=g\\=h',
      'u=\\u00e9\\t',
      'a=last',
      'empty=',
      'path=C:\\\\dir',
    ].join('\n');
    assert.deepEqual(Object.fromEntries(parseProperties(text, 'file')), {
      a: 'last',
      b: '2 ',
      c: '3',
      d: 'xy',
      'e f': 'g=h',
      u: 'é\t',
      empty: '',
      path: 'C:\\dir',
    });
  });

  test('a bad escape names file and line', () => {
    assert.throws(() => parseProperties('a=1\nb=\\u12', 'my.properties'), /my\.properties, line 2/);
  });
});

describe('sasl.jaas.config', () => {
  test('gives the module and its options, quoted or not', () => {
    const { module, options } = parseJaas(
      'org.apache.kafka.common.security.plain.PlainLoginModule required\n username="al\\"ice" password=\'p;=w\' serviceName=kafka;',
    );
    assert.equal(module, 'PlainLoginModule');
    assert.deepEqual(Object.fromEntries(options), { username: 'al"ice', password: 'p;=w', serviceName: 'kafka' });
  });

  for (const text of [
    '',
    'Module',
    'Module required',
    'Module required a=;',
    'Module required a="b"',
    'Module required a="b',
    'Module required; Other required;',
  ]) {
    test(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(() => parseJaas(text), UsageError);
    });
  }

  test('no error shows a value', () => {
    assert.throws(
      () => parseJaas('Module required password="hunter2'),
      (error: Error) => !error.message.includes('hunter2'),
    );
  });
});

describe("Java's configuration keys", () => {
  test('become the options of client, producer and consumer', () => {
    const { client, producer, consumer, warnings } = configOf({
      'bootstrap.servers': 'a:1,b:2',
      'client.id': 'me',
      'request.timeout.ms': '1234',
      'socket.connection.setup.timeout.ms': '99',
      acks: '1',
      'batch.size': '10',
      'linger.ms': '7',
      'compression.type': 'zstd',
      'compression.zstd.level': '3',
      'auto.offset.reset': 'earliest',
      'isolation.level': 'read_committed',
      'fetch.min.bytes': '5',
      'key.serializer': 'org.example.Ignored',
    });
    assert.deepEqual(warnings, []);
    assert.deepEqual(client, {
      bootstrapServers: 'a:1,b:2',
      clientId: 'me',
      requestTimeoutMs: 1234,
      connectionSetupTimeoutMs: 99,
    });
    assert.deepEqual(producer, {
      acks: 1,
      batchSizeBytes: 10,
      lingerMs: 7,
      compressionType: 'zstd',
      compressionLevel: 3,
      requestTimeoutMs: 1234,
    });
    assert.deepEqual(consumer, { autoOffsetReset: 'earliest', isolationLevel: 'read_committed', fetchMinBytes: 5 });
  });

  test('an unknown key is refused, and the error suggests the nearest key', () => {
    const { warnings } = configOf({ 'client.idd': 'me', 'sasl.login.refresh.window.factor': '0.8' });
    assert.match(warnings[0]!, /client\.idd.*did you mean client\.id\?/);
    assert.match(warnings[1]!, /sasl\.login\.refresh\.window\.factor.*has no effect/);
  });

  test('an unknown security key is refused, because connections could be unprotected without it', () => {
    for (const [key, near] of [
      ['security.protocl', 'security.protocol'],
      ['ssl.truststor.location', 'ssl.truststore.location'],
      ['sasl.jaas.conf', 'sasl.jaas.config'],
      ['SSL.CIPHER', null],
    ] as const)
      assert.throws(
        () => configOf({ [key]: 'hunter2' }),
        (error: Error) => {
          assert.ok(error instanceof UsageError);
          assert.ok(error.message.includes(key) && !error.message.includes('hunter2'), error.message);
          if (near !== null) assert.match(error.message, new RegExp(`did you mean ${near}\\?`));
          return true;
        },
      );
    const inContainer = new Map([['security.inter.broker.protocol', 'SSL']]);
    assert.equal(commandConfig(inContainer, new Set(inContainer.keys())).warnings.length, 1);
  });

  test('a value of the wrong kind is refused', () => {
    assert.throws(() => configOf({ 'linger.ms': 'soon' }), /linger\.ms must be an integer/);
    assert.throws(() => configOf({ 'enable.idempotence': 'yes' }), /must be true or false/);
  });

  test('a Java class that only a JVM can load is refused', () => {
    for (const key of ['ssl.engine.factory.class', 'sasl.client.callback.handler.class', 'partitioner.class'])
      assert.throws(() => configOf({ [key]: 'org.example.Thing' }), new RegExp(`${key} names a Java class`));
  });
});

describe('security settings', () => {
  const jaas = (module: string, options: string): string => `org.apache.kafka.${module} required ${options};`;

  test('PLAIN and SCRAM take user and password from JAAS', () => {
    const { client } = configOf({
      'security.protocol': 'sasl_ssl',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.jaas.config': jaas('ScramLoginModule', 'username="alice" password="secret" tokenauth="true"'),
    });
    assert.deepEqual(client, {
      securityProtocol: 'SASL_SSL',
      saslMechanism: 'SCRAM-SHA-512',
      saslPlainUsername: 'alice',
      saslPlainPassword: 'secret',
      saslDelegationToken: true,
    });
    const incomplete = { 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'PLAIN' };
    assert.throws(() => configOf(incomplete), /needs username and password/);
  });

  test('GSSAPI is the default mechanism, and takes the service', () => {
    const { client } = configOf({ 'security.protocol': 'SASL_PLAINTEXT', 'sasl.kerberos.service.name': 'broker' });
    assert.equal(client.saslMechanism, 'GSSAPI');
    assert.equal(client.saslKerberosServiceName, 'broker');
  });

  test('OAUTHBEARER asks the token endpoint', () => {
    const { client } = configOf({
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'OAUTHBEARER',
      'sasl.login.callback.handler.class':
        'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler',
      'sasl.oauthbearer.token.endpoint.url': 'https://idp.example/token',
      'sasl.jaas.config': jaas('OAuthBearerLoginModule', 'clientId="id" clientSecret="s" scope="kafka"'),
    });
    assert.deepEqual(client.saslOauthTokenProvider, {
      oidc: { tokenEndpointUrl: 'https://idp.example/token', clientId: 'id', clientSecret: 's', scope: 'kafka' },
    });
  });

  test('the type of a store is found by its content', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-config-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const store = (name: string, bytes: string | Buffer): string => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return path;
    };
    const jks = store('a.jks', Buffer.from('feedfeed00000002', 'hex'));
    const p12 = store('a.p12', Buffer.from('3082', 'hex'));
    const pem = store('a.pem', '-----BEGIN CERTIFICATE-----\n');
    assert.throws(
      () => configOf({ 'security.protocol': 'SSL', 'ssl.truststore.location': jks }),
      /JKS store.*\n.*keytool/,
    );
    assert.throws(
      () => configOf({ 'security.protocol': 'SSL', 'ssl.truststore.location': p12 }),
      /PKCS12 store.*\n.*keytool/,
    );
    assert.throws(() => configOf({ 'security.protocol': 'SSL', 'ssl.keystore.location': jks }), /Convert it/);
    assert.throws(
      () => configOf({ 'security.protocol': 'SSL', 'ssl.truststore.location': join(folder, 'none') }),
      /ENOENT/,
    );
    const { client } = configOf({
      'security.protocol': 'SSL',
      'ssl.truststore.location': pem,
      'ssl.keystore.location': p12,
      'ssl.keystore.password': 'pw',
      'ssl.enabled.protocols': 'TLSv1.3',
      'ssl.endpoint.identification.algorithm': '',
    });
    assert.deepEqual(client.sslContext, {
      ca: Buffer.from('-----BEGIN CERTIFICATE-----\n'),
      pfx: [{ buf: Buffer.from('3082', 'hex'), passphrase: 'pw' }],
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
    });
    assert.equal(client.sslCheckHostname, false);
  });

  test('that the security protocol does not use are refused, and the error names both', () => {
    const cases: [Readonly<Record<string, string>>, RegExp][] = [
      [
        { 'ssl.truststore.location': 'x' },
        /^ssl\.truststore\.location is set, but security\.protocol is not, which means P/,
      ],
      [
        { 'ssl.cipher.suites': 'x', 'security.protocol': 'sasl_plaintext' },
        /^ssl\.cipher\.suites is set.*SASL_PLAINTEXT: /,
      ],
      [
        { 'sasl.jaas.config': jaas('PlainLoginModule', 'password="hunter2"') },
        /^sasl\.jaas\.config is set.*without a l/,
      ],
      [
        { 'sasl.mechanism': 'PLAIN', 'security.protocol': 'SSL' },
        /^sasl\.mechanism is set, but .* is SSL: .*SASL_SSL or/,
      ],
      [
        { 'sasl.kerberos.service.name': 'x', 'sasl.mechanism': 'GSSAPI' },
        /^sasl\.kerberos\..*, sasl\.mechanism are set/,
      ],
      [{ 'sasl.oauthbearer.scope': 'x' }, /^sasl\.oauthbearer\.scope is set/],
    ];
    for (const [properties, says] of cases)
      assert.throws(
        () => configOf(properties),
        (error: Error) => error instanceof UsageError && says.test(error.message) && !/hunter2/.test(error.message),
        Object.keys(properties).join(),
      );
    configOf({ 'ssl.endpoint.identification.algorithm': 'https', 'ssl.truststore.type': 'PEM' });
  });

  test('that are empty lists are refused, because they look like restrictions', () => {
    for (const key of ['ssl.cipher.suites', 'ssl.enabled.protocols', 'ssl.protocol'])
      for (const value of ['', ' , '])
        assert.throws(
          () => configOf({ 'security.protocol': 'SSL', [key]: value }),
          (error: Error) => error instanceof UsageError && error.message.startsWith(`${key} is empty`),
        );
  });

  test('PEM in one line gets its line breaks', () => {
    const { client } = configOf({
      'security.protocol': 'SSL',
      'ssl.truststore.certificates': '-----BEGIN CERTIFICATE----- AAAA BBBB -----END CERTIFICATE-----',
    });
    assert.equal(
      (client.sslContext as { ca: string }).ca,
      '-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n',
    );
  });

  test("the registry's names of ciphers become OpenSSL's", () => {
    const known = getCiphers().map((name) => name.toUpperCase());
    for (const name of [
      'TLS_AES_128_GCM_SHA256',
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_RSA_WITH_AES_128_CBC_SHA',
      'TLS_DHE_RSA_WITH_AES_256_CBC_SHA256',
    ])
      assert.ok(known.includes(openSslName(name)), `${name} became ${openSslName(name)}`);
  });
});

test("environment variables are properties, except those of Kafka's scripts", () => {
  const properties = environmentProperties({
    KAFKA_BOOTSTRAP_SERVERS: 'a:1',
    KAFKA_SECURITY_PROTOCOL: 'SSL',
    KAFKA_HEAP_OPTS: '-Xmx1g',
    KAFKA_OPTS: '-D',
    KAFKA_COMMAND_CONFIG: 'file',
    HOME: '/home/me',
  });
  assert.deepEqual(Object.fromEntries(properties), { 'bootstrap.servers': 'a:1', 'security.protocol': 'SSL' });
});
