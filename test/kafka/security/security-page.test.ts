// docs/security.md: its programs run as they are given, against a real broker with TLS, client certificates and users of SCRAM. Only the
// address, the files and the environment are those of the test.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { projectFolder } from '../../../scripts/project.ts';
import { CertificateAuthority } from '../../helpers/certificates.ts';
import { patientNode } from '../../helpers/patience.ts';
import { describeKafka } from '../fixture/index.ts';
import { tlsBroker } from './support/tls-broker.ts';

const run = promisify(execFile);
const limitMs = 300_000;
const library = new URL('../../../src/index.js', import.meta.url).href;
const page = readFileSync(join(projectFolder, 'docs', 'security.md'), 'utf8');
const programs = [...page.matchAll(/^```(?:js|ts)\n(.*?)^```$/gms)].map(([, text]) => text!);

const ca = new CertificateAuthority('security-page');
const folder = mkdtempSync(join(tmpdir(), 'security-page-'));
after(() => {
  ca.close();
  rmSync(folder, { recursive: true, force: true });
});
const certificate = ca.issue();
const own = ca.issue({ purpose: 'client' });
const files: Readonly<Record<string, string>> = {
  '/etc/kafka/ca.pem': ca.file('ca.pem', ca.cert),
  '/etc/kafka/client.pem': ca.file('client.pem', own.cert),
  '/etc/kafka/client.key': ca.file('client.key', own.key),
};
const user = { name: 'page-user', password: 'page-secret' };
const listeners = {
  mutual: { certificate, more: { 'ssl.client.auth': 'required' } },
  login: {
    certificate,
    protocol: 'SASL_SSL',
    more: {
      'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    },
  },
} as const;

describeKafka(
  'the programs of the page about security',
  (suite) => {
    /** Runs the program, and then asks the cluster for its brokers. */
    const brokersBy = async (program: string, port: number): Promise<string> => {
      let text = `import { KafkaClient } from 'offthread-kafka';\n${program}
console.log((await client.admin().describeCluster()).brokers.length, client.config.securityProtocol, client.config.saslMechanism);
await client.close();\n`;
      for (const [path, file] of Object.entries(files)) text = text.replaceAll(path, file);
      text = text
        .replace(/^import type .*\n/m, '')
        .replaceAll(': KafkaClientOptions', '')
        .replaceAll(/'(?:broker|pkc-xxxxx)\.example\.com:\d+'/g, `'localhost:${port}'`)
        .replaceAll("'offthread-kafka'", JSON.stringify(library));
      const path = join(folder, `program-${port}.mjs`);
      writeFileSync(path, text);
      const env = { ...process.env, KAFKA_USER: user.name, KAFKA_PASSWORD: user.password };
      return (await run(process.execPath, [...patientNode, path], { env, timeout: limitMs })).stdout;
    };
    const portOf = (name: keyof typeof listeners): number =>
      suite.kafka.brokers[0]!.extraPorts[Object.keys(listeners).indexOf(name)]!;

    test('are as many as this test runs', () => assert.equal(programs.length, 2));

    test('mutual TLS, with the files of the page', async () => {
      assert.equal(await brokersBy(programs[0]!, portOf('mutual')), '1 SSL null\n');
    });

    test('SCRAM over TLS, with user and password of the environment', async () => {
      assert.equal(await brokersBy(programs[1]!, portOf('login')), '1 SASL_SSL SCRAM-SHA-512\n');
    });

    test('a wrong password is refused, and the error says so', async () => {
      await assert.rejects(brokersBy(programs[1]!.replace('process.env.KAFKA_PASSWORD', "'wrong'"), portOf('login')), {
        message: /KAFKA_SASL_AUTHENTICATION_FAILED/,
      });
    });
  },
  {
    ...tlsBroker(ca, listeners),
    formatArguments: ['--add-scram', `SCRAM-SHA-512=[name=${user.name},password=${user.password}]`],
  },
);
