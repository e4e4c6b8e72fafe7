// The command line at a real broker with TLS and logins: every security setting, by flags, by variables and by a properties file, and what it
// says when it is not let in.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CertificateAuthority } from '../../helpers/certificates.ts';
import { type Ended, runCommandLine } from '../../helpers/command-line.ts';
import { TokenEndpoint } from '../../helpers/token-endpoint.ts';
import { unsecuredToken } from '../../helpers/tokens.ts';
import { type BrokerPlace, describeKafka, type Properties } from '../fixture/index.ts';
import { tlsBroker } from '../security/support/tls-broker.ts';

const ca = new CertificateAuthority('cli');
const foreign = new CertificateAuthority('cli-foreigners');
const folder = mkdtempSync(join(tmpdir(), 'cli-security-'));
after(() => {
  ca.close();
  foreign.close();
  rmSync(folder, { recursive: true, force: true });
});

const certificate = ca.issue();
const mine = ca.issue({ purpose: 'client' });
const trusted = ca.file('trusted.pem', ca.cert);
const ownPem = ca.file('own.pem', mine.key + mine.cert);
const ownP12 = join(folder, 'own.p12');
const storePassword = 'store-secret';
execFileSync('openssl', ['pkcs12', '-export', '-in', ownPem, '-out', ownP12, '-passout', `pass:${storePassword}`]);
const lockedKey = execFileSync(
  'openssl',
  ['pkcs8', '-topk8', '-in', ownPem, '-passout', `pass:${storePassword}`, '-v2', 'aes-256-cbc'],
  { encoding: 'utf8' },
);

const module = {
  plain: 'org.apache.kafka.common.security.plain.PlainLoginModule required',
  scram: 'org.apache.kafka.common.security.scram.ScramLoginModule required',
  oauth: 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required',
} as const;
const listeners = {
  tls: { certificate },
  mutual: { certificate, more: { 'ssl.client.auth': 'required' } },
  tls13: { certificate, more: { 'ssl.enabled.protocols': 'TLSv1.3' } },
  plain: {
    certificate,
    protocol: 'SASL_SSL',
    more: {
      'sasl.enabled.mechanisms': 'PLAIN',
      'plain.sasl.jaas.config': `${module.plain} user_alice="alice-secret";`,
    },
  },
  wrongname: { certificate: ca.issue({ names: ['DNS:broker.invalid'] }) },
  login: {
    certificate,
    protocol: 'SASL_SSL',
    more: {
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      'plain.sasl.jaas.config': `${module.plain} user_alice="alice-secret" user_bob="bob-secret";`,
      'scram-sha-256.sasl.jaas.config': `${module.scram};`,
      'scram-sha-512.sasl.jaas.config': `${module.scram};`,
      'oauthbearer.sasl.jaas.config': `${module.oauth} unsecuredLoginStringClaim_sub="broker";`,
    },
  },
} as const;
type Listener = keyof typeof listeners;
type Settings = Readonly<Record<string, string>>;

/** A file, texts with blanks and quotes, a password. */
const inEveryWay = new Set(['an authority in a file', 'an own certificate in texts, with a password', 'SCRAM-SHA-512']);

/** Java allows a PEM text in one line. */
const oneLine = (pem: string): string => pem.trim().replaceAll('\n', ' ');
const authority = { 'ssl.truststore.location': trusted, 'ssl.truststore.type': 'PEM' };
const tls = { 'security.protocol': 'SSL', ...authority };
const login = { 'security.protocol': 'SASL_SSL', ...authority };
const user = 'username="alice" password="alice-secret"';

const accepted: readonly (readonly [what: string, listener: Listener, settings: Settings])[] = [
  ['an authority in a file', 'tls', tls],
  ['an authority in a text', 'tls', { 'security.protocol': 'SSL', 'ssl.truststore.certificates': oneLine(ca.cert) }],
  ['versions and ciphers', 'tls13', { ...tls, 'ssl.enabled.protocols': 'TLSv1.3', 'ssl.protocol': 'TLSv1.3' }],
  [
    'ciphers by their registered names',
    'tls',
    {
      ...tls,
      'ssl.enabled.protocols': 'TLSv1.2',
      'ssl.cipher.suites': 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    },
  ],
  ['no check of the name', 'wrongname', { ...tls, 'ssl.endpoint.identification.algorithm': '' }],
  ['an own certificate in PEM', 'mutual', { ...tls, 'ssl.keystore.location': ownPem, 'ssl.keystore.type': 'PEM' }],
  [
    'an own certificate in PKCS12',
    'mutual',
    { ...tls, 'ssl.keystore.location': ownP12, 'ssl.keystore.type': 'PKCS12', 'ssl.keystore.password': storePassword },
  ],
  [
    'an own certificate in texts, with a password',
    'mutual',
    {
      ...tls,
      'ssl.keystore.key': oneLine(lockedKey),
      'ssl.keystore.certificate.chain': oneLine(mine.cert),
      'ssl.key.password': storePassword,
    },
  ],
  ['PLAIN', 'login', { ...login, 'sasl.mechanism': 'PLAIN', 'sasl.jaas.config': `${module.plain} ${user};` }],
  ...['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism) => {
    const settings = { ...login, 'sasl.mechanism': mechanism, 'sasl.jaas.config': `${module.scram} ${user};` };
    return [mechanism, 'login', settings] as const;
  }),
];

const options = tlsBroker(ca, listeners);

describeKafka(
  'the command line and a broker with TLS and logins',
  (suite) => {
    let endpoint: TokenEndpoint;

    before(async () => {
      const token = { access_token: unsecuredToken({ subject: 'alice' }), expires_in: 300 };
      endpoint = await TokenEndpoint.start(() => ({ json: token }));
    });
    after(async () => {
      await endpoint?.close();
    });

    const at = (listener: Listener): string =>
      `localhost:${suite.kafka.brokers[0]!.extraPorts[Object.keys(listeners).indexOf(listener)]}`;
    const list = ['topics', '--list', '--timeout', '60000'];

    const flags = (server: string, settings: Settings): Promise<Ended> => {
      const pairs = Object.entries(settings).flatMap(([key, value]) => ['--command-property', `${key}=${value}`]);
      return runCommandLine([...list, '--bootstrap-server', server, ...pairs]);
    };
    const variables = (server: string, settings: Settings): Promise<Ended> => {
      const all = Object.entries({ 'bootstrap.servers': server, ...settings });
      const environment = Object.fromEntries(
        all.map(([key, value]) => [`KAFKA_${key.toUpperCase().replaceAll('.', '_')}`, value]),
      );
      return runCommandLine(list, { environment });
    };
    let files = 0;
    const written = (server: string, settings: Settings): string => {
      const file = join(folder, `client-${files++}.properties`);
      const lines = Object.entries({ 'bootstrap.servers': server, ...settings }).map(([key, value]) => {
        return `${key} = ${value.replaceAll('\\', '\\\\')}\n`;
      });
      writeFileSync(file, `# made by a test\n${lines.join('')}`);
      return file;
    };
    const ways = {
      flags,
      variables,
      'a file': (server: string, settings: Settings) => {
        return runCommandLine([...list, '--command-config', written(server, settings)]);
      },
    } as const;

    const all = Object.entries(ways);
    for (const [i, [what, listener, settings]] of accepted.entries()) {
      // All ways make the same map of settings: some rows try all of them, each other row one.
      const tried = inEveryWay.has(what) ? all : [all[i % all.length]!];
      test(`${what}: by ${tried.map(([way]) => way).join(', ')}`, async () => {
        for (const [way, run] of tried) {
          const ended = await run(at(listener), settings);
          assert.equal(ended.exitCode, 0, `${way}: ${ended.stderr}`);
          assert.equal(ended.stderr, '', way);
        }
      });
    }

    test('a file that a variable names', async () => {
      const environment = { KAFKA_COMMAND_CONFIG: written(at('tls'), tls) };
      const ended = await runCommandLine(list, { environment });
      assert.equal(ended.exitCode, 0, ended.stderr);
    });

    test('OAUTHBEARER, with a token of an authorization server: by a file', async () => {
      const settings = {
        ...login,
        'sasl.mechanism': 'OAUTHBEARER',
        'sasl.oauthbearer.token.endpoint.url': endpoint.url,
        'sasl.oauthbearer.scope': 'kafka',
        'sasl.login.callback.handler.class':
          'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler',
        'sasl.jaas.config': `${module.oauth} clientId="app" clientSecret="oidc-secret";`,
      };
      const ended = await ways['a file'](at('login'), settings);
      assert.equal(ended.exitCode, 0, ended.stderr);
      assert.equal(endpoint.requests.length, 1);
    });

    test('a user without permission is told so, with an exit code of its own', async () => {
      const server = suite.kafka.bootstrapServers.join(',');
      const created = await runCommandLine(['topics', '--create', '--topic', 'guarded', '--bootstrap-server', server]);
      assert.equal(created.exitCode, 0, created.stderr);
      const bob = 'username="bob" password="bob-secret"';
      const settings = { ...login, 'sasl.mechanism': 'PLAIN', 'sasl.jaas.config': `${module.plain} ${bob};` };
      const file = written(at('login'), settings);
      const denied: readonly (readonly string[])[] = [
        ['topics', '--describe', '--topic', 'guarded'],
        ['topics', '--create', '--topic', 'other'],
        ['topics', '--delete', '--topic', 'guarded'],
        ['offsets', '--topic', 'guarded'],
        ['produce', '--topic', 'guarded'],
        ['consume', '--topic', 'guarded', '--exit'],
        ['groups', '--describe', '--group', 'g'],
        ['configs', '--describe', '--entity-type', 'topics', '--entity-name', 'guarded'],
        ['acls', '--list'],
        ['metadata', '--topic', 'guarded'],
      ];
      for (const args of denied) {
        const ended = await runCommandLine([...args, '--command-config', file], { input: 'a line\n' });
        assert.equal(ended.exitCode, 4, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
        assert.match(ended.stderr, /AUTHORIZATION_FAILED|[Nn]ot authorized/, args.join(' '));
        assert.ok(!ended.stderr.includes('bob-secret'));
      }
    });

    describe('what is refused has an exit code, a reason and no secret', () => {
      const wrongUser = 'username="alice" password="wrong-secret"';
      const refused: readonly (readonly [what: string, Listener, Settings, exitCode: number, message: RegExp])[] = [
        [
          'a wrong password',
          'login',
          { ...login, 'sasl.mechanism': 'SCRAM-SHA-256', 'sasl.jaas.config': `${module.scram} ${wrongUser};` },
          4,
          /[Aa]uthentication failed/,
        ],
        [
          'a mechanism that the broker does not have',
          'plain',
          { ...login, 'sasl.mechanism': 'SCRAM-SHA-256', 'sasl.jaas.config': `${module.scram} ${user};` },
          4,
          /SCRAM-SHA-256.*PLAIN/s,
        ],
        [
          'a broker of another authority',
          'tls',
          { 'security.protocol': 'SSL', 'ssl.truststore.certificates': oneLine(foreign.cert) },
          4,
          /certificate|UNABLE_TO_VERIFY|SELF_SIGNED/,
        ],
        ['a broker of another name', 'wrongname', tls, 4, /broker\.invalid|name/],
        ['no certificate of our own', 'mutual', tls, 4, /certificate/],
        ['a protocol without TLS at a TLS port', 'tls', { 'security.protocol': 'PLAINTEXT' }, 3, /TLS|SSL/],
        [
          'a wrong password of the key',
          'mutual',
          { ...tls, 'ssl.keystore.location': ownP12, 'ssl.keystore.password': 'wrong-secret' },
          2,
          /sslContext|keystore|password/,
        ],
      ];
      for (const [what, listener, settings, exitCode, message] of refused) {
        test(what, async () => {
          const ended = await runCommandLine([
            ...['topics', '--list', '--timeout', '8000', '--command-config', written(at(listener), settings)],
          ]);
          assert.equal(ended.exitCode, exitCode, ended.stderr);
          assert.match(ended.stderr, message);
          assert.equal(ended.stdout, '');
          assert.ok(!ended.stderr.includes('wrong-secret'), ended.stderr);
          assert.ok(!ended.stderr.includes('    at '), 'no stack');
        });
      }
    });
  },
  {
    ...options,
    extraProperties: (place) => ({
      ...(options.extraProperties as (place: BrokerPlace) => Properties)(place),
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS;User:alice',
    }),
    formatArguments: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=alice,password=alice-secret]`,
    ]),
  },
);
