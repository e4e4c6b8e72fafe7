// Owns the way from Java's configuration keys to the options of this package: those of the client, and those of the producer or
// consumer of a command. Main thread of the command line. No error may show a value that may be secret.

import { producerOptions } from '../../common/config/producer-options.ts';
import { nearestName } from '../../common/text.ts';
import type { ConsumerOptions, KafkaClientOptions, ProducerOptions } from '../../index.ts';
import { configOptions, consumerOptions } from '../../index.ts';
import { UsageError } from '../exit-codes.ts';
import { checkProtocol, checkSlip } from './idle-security.ts';
import { parseJaas } from './jaas.ts';
import { javaOnlyTlsKeys, tlsSettings } from './tls.ts';

export interface CommandConfig {
  readonly client: KafkaClientOptions;
  readonly producer: ProducerOptions;
  readonly consumer: ConsumerOptions;
  /** Unknown keys, each with the nearest known key. Java's tools warn of them too. */
  readonly warnings: readonly string[];
}

/** Java's names whose camelCase is not ours. */
const renamed: Readonly<Record<string, string>> = {
  'socket.connection.setup.timeout.ms': 'connectionSetupTimeoutMs',
  'socket.connection.setup.timeout.max.ms': 'connectionSetupTimeoutMaxMs',
  'receive.buffer.bytes': 'receiveBufferBytes',
  'send.buffer.bytes': 'sendBufferBytes',
  'max.request.size': 'maxRequestSizeBytes',
  'batch.size': 'batchSizeBytes',
  'buffer.memory': 'bufferMemoryBytes',
  'client.rack': 'clientRack',
  'group.remote.assignor': 'groupRemoteAssignor',
};

/** The security settings that the code below reads by name. */
const securityKeys = [
  'security.protocol',
  'sasl.mechanism',
  'sasl.jaas.config',
  'sasl.kerberos.service.name',
  'sasl.oauthbearer.token.endpoint.url',
  'sasl.oauthbearer.client.credentials.client.id',
  'sasl.oauthbearer.client.credentials.client.secret',
  'sasl.oauthbearer.scope',
  'ssl.truststore.location',
  'ssl.truststore.type',
  'ssl.truststore.password',
  'ssl.truststore.certificates',
  'ssl.keystore.location',
  'ssl.keystore.type',
  'ssl.keystore.password',
  'ssl.keystore.key',
  'ssl.keystore.certificate.chain',
  'ssl.key.password',
  'ssl.protocol',
  'ssl.enabled.protocols',
  'ssl.cipher.suites',
  'ssl.endpoint.identification.algorithm',
] as const;

/** Keys that are accepted and have no effect here, because they are about Java's own code. */
const withoutEffect: readonly string[] = [
  'key.serializer',
  'value.serializer',
  'key.deserializer',
  'value.deserializer',
  'metric.reporters',
  'metrics.num.samples',
  'metrics.recording.level',
  'metrics.sample.window.ms',
  'auto.include.jmx.reporter',
  'client.dns.lookup',
  'default.api.timeout.ms',
  'retries',
  'max.poll.records',
  'ssl.keymanager.algorithm',
  'ssl.trustmanager.algorithm',
  'ssl.secure.random.implementation',
  'sasl.kerberos.kinit.cmd',
  'sasl.kerberos.min.time.before.relogin',
  'sasl.kerberos.ticket.renew.jitter',
  'sasl.kerberos.ticket.renew.window.factor',
];

const javaClasses = [
  ...javaOnlyTlsKeys,
  'sasl.client.callback.handler.class',
  'sasl.login.class',
  'interceptor.classes',
  'partitioner.class',
];
/** The one class name that we accept, because we do the same without it. */
const oauthHandler = /\.OAuthBearerLoginCallbackHandler$/;

/** @param ofOthers keys that may be for other programs: an unknown one gives only a warning */
export function commandConfig(
  properties: ReadonlyMap<string, string>,
  ofOthers: ReadonlySet<string> = new Set(),
): CommandConfig {
  const client: Record<string, unknown> = {};
  const producer: Record<string, unknown> = {};
  const consumer: Record<string, unknown> = {};
  const warnings: string[] = [];
  for (const [key, value] of properties) {
    if ((securityKeys as readonly string[]).includes(key) || withoutEffect.includes(key)) continue;
    if (key === 'sasl.login.callback.handler.class' && oauthHandler.test(value)) continue;
    if (key === 'sasl.login.callback.handler.class' || javaClasses.includes(key))
      throw new UsageError(`${key} names a Java class, which only a JVM can load: remove it`);
    if (putOption(key, value, client, producer, consumer)) continue;
    if (!ofOthers.has(key)) checkSlip(key, [...securityKeys, ...withoutEffect]);
    warnings.push(unknownKey(key));
  }
  checkProtocol(
    properties.get('security.protocol'),
    [...properties.keys()].filter((key) => (securityKeys as readonly string[]).includes(key)),
  );
  addSecurity(client, (key) => properties.get(key));
  return { client, producer, consumer, warnings };
}

type Bag = Record<string, unknown>;

/** @returns whether the key is known */
function putOption(key: string, value: string, client: Bag, producer: Bag, consumer: Bag): boolean {
  if (key === 'bootstrap.servers') {
    client.bootstrapServers = value;
    return true;
  }
  if (key === 'bootstrap.controllers') {
    client.bootstrapControllers = value;
    return true;
  }
  if (putSpecial(key, value, producer, consumer)) return true;
  const name = renamed[key] ?? camel(key);
  let isKnown = false;
  for (const [bag, options] of [
    [client, configOptions],
    [producer, producerOptions],
    [consumer, consumerOptions],
  ] as const) {
    if (!Object.hasOwn(options, name)) continue;
    bag[name] = typed(key, value, (options as Record<string, { readonly type: string }>)[name]!.type);
    isKnown = true;
  }
  return isKnown;
}

function putSpecial(key: string, value: string, producer: Bag, consumer: Bag): boolean {
  switch (key) {
    case 'acks':
      producer.acks = value === 'all' ? 'all' : typed(key, value, 'integer');
      return true;
    case 'compression.level':
    case 'compression.gzip.level':
    case 'compression.zstd.level':
      producer.compressionLevel = typed(key, value, 'integer');
      return true;
    case 'auto.offset.reset':
      consumer.autoOffsetReset = value;
      return true;
    case 'isolation.level':
      consumer.isolationLevel = value;
      return true;
    case 'enable.auto.commit':
      consumer.commit = typed(key, value, 'boolean') === true ? 'processed' : 'manual';
      return true;
    case 'auto.commit.interval.ms':
      consumer.commit = { everyMs: typed(key, value, 'integer') };
      return true;
    default:
      return false;
  }
}

function camel(key: string): string {
  return key.replace(/[._-]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function typed(key: string, value: string, type: string): unknown {
  if (type === 'boolean') {
    if (value === 'true' || value === 'false') return value === 'true';
    throw new UsageError(`${key} must be true or false, not '${value.slice(0, 80)}'`);
  }
  if (type === 'integer') {
    if (/^[+-]?\d+$/.test(value.trim())) return Number(value);
    throw new UsageError(`${key} must be an integer, not '${value.slice(0, 80)}'`);
  }
  return value;
}

function unknownKey(key: string): string {
  const known = [
    ...securityKeys,
    ...withoutEffect,
    ...[...Object.keys(configOptions), ...Object.keys(producerOptions), ...Object.keys(consumerOptions)].map(dotted),
    ...Object.keys(renamed),
  ];
  const near = nearestName(key, known, Math.max(2, key.length >> 2));
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `the configuration key '${key.slice(0, 80)}' is not known and has no effect${hint}`;
}

function dotted(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`);
}

function addSecurity(client: Bag, get: (key: string) => string | undefined): void {
  const protocol = get('security.protocol');
  if (protocol !== undefined) client.securityProtocol = protocol.toUpperCase();
  const tls = tlsSettings(get);
  if (Object.keys(tls).length > 0) client.sslContext = tls;
  const identification = get('ssl.endpoint.identification.algorithm');
  if (identification !== undefined) client.sslCheckHostname = identification.trim() !== '';
  const mechanism = get('sasl.mechanism') ?? (protocol?.toUpperCase().startsWith('SASL_') ? 'GSSAPI' : undefined);
  if (mechanism === undefined) return;
  client.saslMechanism = mechanism;
  const jaasText = get('sasl.jaas.config');
  const jaas = jaasText === undefined ? null : parseJaas(jaasText);
  const option = (name: string): string | undefined => jaas?.options.get(name);
  if (mechanism === 'PLAIN' || mechanism.startsWith('SCRAM-')) {
    if (option('username') === undefined || option('password') === undefined)
      throw new UsageError(`sasl.mechanism ${mechanism} needs username and password in sasl.jaas.config`);
    client.saslPlainUsername = option('username');
    client.saslPlainPassword = option('password');
    if (option('tokenauth') === 'true') client.saslDelegationToken = true;
  } else if (mechanism === 'GSSAPI') {
    const service = get('sasl.kerberos.service.name') ?? option('serviceName');
    if (service !== undefined) client.saslKerberosServiceName = service;
  } else if (mechanism === 'OAUTHBEARER') client.saslOauthTokenProvider = { oidc: oidcOptions(get, option) };
}

function oidcOptions(get: (key: string) => string | undefined, option: (name: string) => string | undefined): object {
  const extensions: Record<string, string> = {};
  const tokenEndpointUrl = get('sasl.oauthbearer.token.endpoint.url');
  const clientId = get('sasl.oauthbearer.client.credentials.client.id') ?? option('clientId');
  const clientSecret = get('sasl.oauthbearer.client.credentials.client.secret') ?? option('clientSecret');
  if (tokenEndpointUrl === undefined || clientId === undefined || clientSecret === undefined) {
    throw new UsageError(
      'sasl.mechanism OAUTHBEARER needs sasl.oauthbearer.token.endpoint.url, and clientId and clientSecret in sasl.jaas.config',
    );
  }
  const scope = get('sasl.oauthbearer.scope') ?? option('scope');
  for (const name of ['logicalCluster', 'identityPoolId']) {
    const value = option(`extension_${name}`);
    if (value !== undefined) extensions[name] = value;
  }
  return {
    tokenEndpointUrl,
    clientId,
    clientSecret,
    ...(scope !== undefined && { scope }),
    ...(Object.keys(extensions).length > 0 && { extensions }),
  };
}
