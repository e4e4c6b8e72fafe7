// Owns the configuration of a broker with ZooKeeper that wants logins, by a JAAS file: for versions whose SASL is older than
// options by listener. Runs in the test process. Its listeners are PLAINTEXT and SASL_PLAINTEXT; users are alice and bob, the
// latter for PLAIN only.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { KafkaOptions } from '../../fixture/index.ts';
import { type SaslBrokerOptions, scramUser } from './sasl-broker.ts';

export interface OldSaslBroker {
  readonly options: KafkaOptions;
  addressOf(broker: { readonly extraPorts: readonly number[] }): string;
}

export function oldSaslBroker(version: string, kerberos?: SaslBrokerOptions['kerberos']): OldSaslBroker {
  const folder = mkdtempSync(join(tmpdir(), 'offthread-jaas-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const jaas = join(folder, 'jaas.conf');
  writeFileSync(jaas, jaasFile(kerberos?.keytab));
  const options: KafkaOptions = {
    version,
    extraPorts: 1,
    configArguments: scramUser,
    jvmArguments: [
      `-Djava.security.auth.login.config=${jaas}`,
      // The section is the broker's; its ZooKeeper client needs no login.
      '-Dzookeeper.sasl.client=false',
      ...(kerberos === undefined
        ? []
        : [
            `-Djava.security.krb5.conf=${kerberos.configuration}`,
            '--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED',
          ]),
    ],
    extraProperties: ({ host, port, extraPorts }) => ({
      listeners: `PLAINTEXT://${host}:${port},SASL_PLAINTEXT://${host}:${extraPorts[0]}`,
      'advertised.listeners': `PLAINTEXT://${host}:${port},SASL_PLAINTEXT://localhost:${extraPorts[0]}`,
      'broker.id': 1,
      'sasl.enabled.mechanisms': `PLAIN,SCRAM-SHA-256,SCRAM-SHA-512${kerberos === undefined ? '' : ',GSSAPI'}`,
      'sasl.kerberos.service.name': 'kafka',
    }),
  };
  return { options, addressOf: ({ extraPorts }) => `localhost:${extraPorts[0]}` };
}

function jaasFile(keytab: string | undefined): string {
  const kerberos = `com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true doNotPrompt=true keyTab="${keytab}" principal="kafka/localhost@KAFKA.TEST";`;
  return `KafkaServer {
  ${keytab === undefined ? '' : kerberos}
  org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="alice-secret" user_bob="bob-secret";
  org.apache.kafka.common.security.scram.ScramLoginModule required;
};
`;
}
