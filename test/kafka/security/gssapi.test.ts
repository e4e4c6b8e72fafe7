// GSSAPI with a real KDC: with a present broker, and with one of 2017, which uses bare tokens.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type KafkaClientOptions, ListGroups, SaslAuthenticationFailedError } from '../../../src/index.ts';
import { runCommandLine } from '../../helpers/command-line.ts';
import { patient } from '../../helpers/patience.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { describeKafka, isKafkaRequired } from '../fixture/index.ts';
import { Kdc, kerberosProblem } from './support/kdc.ts';
import { loggedIn, nodeId, refusal, requestsFor } from './support/logins.ts';
import { oldSaslBroker } from './support/old-sasl-broker.ts';
import { addressOf, saslBroker } from './support/sasl-broker.ts';

const sessionMs = 6000;
/** Of a ticket that expires: longer than a login takes on a busy machine. */
const shortLife = '15s';
const gssapi = { securityProtocol: 'SASL_PLAINTEXT', saslMechanism: 'GSSAPI' } as const;
const problem = kerberosProblem();
if (problem === null) {
  const kdc = await Kdc.start();
  after(() => kdc.stop());
  declare(kdc);
} else if (isKafkaRequired()) {
  test('GSSAPI', () => assert.fail(`REQUIRE_KAFKA is set, but there is ${problem}`));
} else {
  test('GSSAPI', { skip: problem }, () => {});
}

function declare(kdc: Kdc): void {
  const kerberos = { keytab: kdc.serviceKeytab, configuration: kdc.configuration };
  const ticket = kdc.ticket();
  // Read by the Kerberos library of this process at each login.
  process.env.KRB5_CONFIG = kdc.configuration;
  process.env.KRB5CCNAME = ticket;

  describeKafka(
    'GSSAPI',
    (suite) => {
      const at = (host: string, more: KafkaClientOptions = {}): KafkaClientOptions => ({
        bootstrapServers: addressOf(suite.kafka.brokers[0]!, 'sasl').replace('localhost', host),
        ...patient,
        ...gssapi,
        ...more,
      });

      test('lets in a client with a ticket', async (t) => {
        await loggedIn(t, at('localhost'));
      });

      test('the command line logs in with the ticket, by the settings of a properties file', async (t) => {
        const folder = mkdtempSync(join(tmpdir(), 'cli-gssapi-'));
        t.after(() => rmSync(folder, { recursive: true, force: true }));
        const file = join(folder, 'client.properties');
        const settings = ['security.protocol=SASL_PLAINTEXT', 'sasl.mechanism=GSSAPI'];
        writeFileSync(file, [...settings, 'sasl.kerberos.service.name=kafka', ''].join('\n'));
        const server = addressOf(suite.kafka.brokers[0]!, 'sasl');
        const list = ['topics', '--list', '--bootstrap-server', server, '--command-config', file, '--timeout', '60000'];
        const ended = await runCommandLine(list);
        assert.equal(ended.exitCode, 0, ended.stderr);
      });

      test('uses the host name of the option for the service', async (t) => {
        await loggedIn(t, at('127.0.0.1', { saslKerberosDomainName: 'localhost' }));
      });

      test('uses the host of the connection without the option, and there is no such service here', async () => {
        const error = await refusal(at('127.0.0.1'), SaslAuthenticationFailedError, [], false);
        assert.match(error.message, /service kafka@127\.0\.0\.1 failed: .*not found/i);
      });

      test('refuses an unknown service', async () => {
        const error = await refusal(
          at('localhost', { saslKerberosServiceName: 'other' }),
          SaslAuthenticationFailedError,
          [],
          false,
        );
        assert.match(error.message, /Kerberos login for service other@localhost failed: .*not found/i);
      });

      test('is refused by a broker without the key of the service', async () => {
        const stranger = at('localhost', { saslKerberosServiceName: 'stranger' });
        const error = await refusal(stranger, SaslAuthenticationFailedError, []);
        assert.match(error.message, /invalid credentials with SASL mechanism GSSAPI \(error code 58 of the broker\)/);
      });

      test('sessions are renewed under load, and no request is lost', async (t) => {
        const bootstrapServers = addressOf(suite.kafka.brokers[0]!, 'reauth');
        const client = await loggedIn(t, at('localhost', { bootstrapServers, metrics: true }));
        const created = (): unknown => client.metrics()[`node-metrics.node-${nodeId}`]!['connection-creation-total'];
        const before = created();
        await requestsFor(client, 1.5 * sessionMs);
        assert.equal(created(), before);
      });

      test('lets in a client with a keytab and without a ticket', async (t) => {
        process.env.KRB5CCNAME = kdc.noTicket;
        process.env.KRB5_CLIENT_KTNAME = kdc.clientKeytab;
        try {
          await loggedIn(t, at('localhost'));
        } finally {
          process.env.KRB5CCNAME = ticket;
          delete process.env.KRB5_CLIENT_KTNAME;
          rmSync(kdc.noTicket.replace('FILE:', ''), { force: true });
        }
      });

      test('says that a ticket has expired, keeps connections that are logged in, and logs in with the next ticket', async (t) => {
        process.env.KRB5CCNAME = kdc.ticket(shortLife);
        try {
          const client = await loggedIn(t, at('localhost'));
          await waitFor('the ticket to expire', () => kdc.hasExpired(process.env.KRB5CCNAME!));
          assert.equal((await client.send(nodeId, ListGroups, {})).errorCode, 0);
          const error = await refusal(at('localhost'), SaslAuthenticationFailedError, [], false);
          assert.match(error.message, /Kerberos login for service kafka@localhost failed: .*expired/i);
          kdc.ticket(shortLife);
          await loggedIn(t, at('localhost'));
        } finally {
          process.env.KRB5CCNAME = ticket;
        }
      });

      test('says that there is no ticket, and logs in once there is one', async (t) => {
        process.env.KRB5CCNAME = kdc.noTicket;
        try {
          const error = await refusal(at('localhost'), SaslAuthenticationFailedError, [], false);
          assert.match(error.message, /No Kerberos credentials available/i);
        } finally {
          process.env.KRB5CCNAME = ticket;
        }
        await loggedIn(t, at('localhost'));
      });
    },
    saslBroker({ kerberos, sessionMs }),
  );

  const old = oldSaslBroker('0.10.2.2', kerberos);
  describeKafka(
    'GSSAPI with bare tokens',
    (suite) => {
      test('lets in a client with a ticket', async (t) => {
        await loggedIn(t, {
          ...gssapi,
          bootstrapServers: old.addressOf(suite.kafka.brokers[0]!),
          ...patient,
        });
      });
    },
    old.options,
  );
}
