// Owns the configuration of a real broker that wants logins: a listener for the usual mechanisms, one for signed tokens, one
// whose sessions last three seconds. Runs in the test process. Users are alice and bob, the latter for PLAIN only.

import type { BrokerPlace, KafkaOptions, Properties } from '../../fixture/index.ts';

export const users = {
  alice: { saslPlainUsername: 'alice', saslPlainPassword: 'alice-secret' },
  bob: { saslPlainUsername: 'bob', saslPlainPassword: 'bob-secret' },
} as const;

/** Which of the extra ports a listener has. */
export const listeners = ['sasl', 'jwks', 'reauth'] as const;
export type Listener = (typeof listeners)[number];

export interface SaslBrokerOptions {
  /** JWKS file for the listener of signed tokens; without one it is not there. */
  readonly jwksFile?: string;
  /** Keytab of `kafka/localhost`, and the Kerberos configuration; without them there is no GSSAPI. */
  readonly kerberos?: { readonly keytab: string; readonly configuration: string };
  readonly sessionMs?: number;
}

const module = {
  plain:
    'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="alice-secret" user_bob="bob-secret";',
  scram: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  oauthbearer:
    'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";',
} as const;

/** For ConfigCommand: makes alice known to SCRAM, in ZooKeeper. */
export const scramUser = [
  '--alter',
  '--entity-type',
  'users',
  '--entity-name',
  'alice',
  '--add-config',
  ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((name) => `${name}=[password=alice-secret]`).join(','),
] as const;

/** Options of a KRaft broker, 3.9 or later. */
export function saslBroker(options: SaslBrokerOptions = {}): KafkaOptions {
  const { jwksFile, kerberos } = options;
  const jvmArguments = [
    ...(jwksFile === undefined ? [] : [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${jwksFile}`]),
    ...(kerberos === undefined ? [] : [`-Djava.security.krb5.conf=${kerberos.configuration}`]),
  ];
  const credentials = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=alice,password=alice-secret]`,
    '--add-scram',
    // Escaped in messages, and prepared: the password holds a soft hyphen, which SASLprep removes.
    `${mechanism}=[name=o=re,password=käse]`,
  ]);
  return {
    extraPorts: listeners.length,
    formatArguments: credentials,
    jvmArguments,
    extraProperties: (place) => properties(place, options),
  };
}

/** Where clients connect. `localhost`, since Kerberos knows the broker by that name. */
export function addressOf({ extraPorts }: { readonly extraPorts: readonly number[] }, listener: Listener): string {
  return `localhost:${extraPorts[listeners.indexOf(listener)]}`;
}

function properties(place: BrokerPlace, { jwksFile, kerberos, sessionMs = 3000 }: SaslBrokerOptions): Properties {
  const names = listeners.filter((name) => name !== 'jwks' || jwksFile !== undefined);
  const on = (host: string): string[] =>
    names.map((name) => `${name.toUpperCase()}://${host}:${place.extraPorts[listeners.indexOf(name)]}`);
  return {
    listeners: [
      `PLAINTEXT://${place.host}:${place.port}`,
      `CONTROLLER://${place.host}:${place.controllerPort}`,
      ...on(place.host),
    ].join(','),
    'advertised.listeners': [`PLAINTEXT://${place.host}:${place.port}`, ...on('localhost')].join(','),
    'listener.security.protocol.map': [
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      ...names.map((name) => `${name.toUpperCase()}:SASL_PLAINTEXT`),
    ].join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'delegation.token.secret.key': 'token-master',
    ...mechanisms('sasl'),
    ...mechanisms('reauth', sessionMs),
    ...(kerberos === undefined ? {} : gssapi(kerberos.keytab, sessionMs)),
    ...(jwksFile === undefined ? {} : signedTokens(jwksFile)),
  };
}

function mechanisms(listener: Listener, sessionMs?: number): Properties {
  const prefix = `listener.name.${listener}`;
  const jaas: Properties = Object.fromEntries(
    Object.entries({
      plain: module.plain,
      'scram-sha-256': module.scram,
      'scram-sha-512': module.scram,
      oauthbearer: module.oauthbearer,
    }).flatMap(([name, text]) => [
      [`${prefix}.${name}.sasl.jaas.config`, text],
      ...(sessionMs === undefined ? [] : [[`${prefix}.${name}.connections.max.reauth.ms`, sessionMs]]),
    ]),
  );
  return { [`${prefix}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER', ...jaas };
}

function gssapi(keytab: string, sessionMs: number): Properties {
  const login = `com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true doNotPrompt=true keyTab="${keytab}" principal="kafka/localhost@KAFKA.TEST";`;
  return {
    'listener.name.sasl.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER,GSSAPI',
    'listener.name.sasl.gssapi.sasl.jaas.config': login,
    'listener.name.reauth.sasl.enabled.mechanisms': 'GSSAPI',
    'listener.name.reauth.gssapi.sasl.jaas.config': login,
    'listener.name.reauth.gssapi.connections.max.reauth.ms': sessionMs,
    'sasl.kerberos.service.name': 'kafka',
  };
}

function signedTokens(jwksFile: string): Properties {
  const prefix = 'listener.name.jwks';
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: 'OAUTHBEARER',
    [`${prefix}.oauthbearer.sasl.jaas.config`]: module.oauthbearer,
    [`${prefix}.oauthbearer.sasl.server.callback.handler.class`]:
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler',
    [`${prefix}.oauthbearer.sasl.oauthbearer.jwks.endpoint.url`]: `file://${jwksFile}`,
    [`${prefix}.oauthbearer.sasl.oauthbearer.expected.audience`]: 'kafka',
    [`${prefix}.oauthbearer.sasl.oauthbearer.expected.issuer`]: 'issuer.test',
  };
}
