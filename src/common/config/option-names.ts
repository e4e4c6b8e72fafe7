// Owns the advice for a key that is not an option. Most such keys are names of another client, or misspelt. Every thread.
// Names of kafkajs, @platformatic/kafka, librdkafka (and so node-rdkafka and @confluentinc/kafka-javascript), Java, kafka-python.

import { nearestName } from '../text.ts';

const maxChanges = 3;
const shownCharacters = 80;

const login = 'saslMechanism, saslPlainUsername and saslPlainPassword, with securityProtocol SASL_SSL';
const ownCertificate = 'sslCertFile and sslKeyFile, or sslContext: { cert, key }';

/** The key is the other client's name, in small letters and digits only. */
export const foreignNames: Readonly<Record<string, string>> = {
  // kafkajs, @platformatic/kafka
  brokers: 'bootstrapServers',
  brokerlist: 'bootstrapServers',
  bootstrapbrokers: 'bootstrapServers',
  hosts: 'bootstrapServers',
  servers: 'bootstrapServers',
  kafkahost: 'bootstrapServers',
  ssl: "securityProtocol: 'SSL', and sslCaFile or sslContext",
  tls: "securityProtocol: 'SSL', and sslCaFile or sslContext",
  ssloptions: "securityProtocol: 'SSL', and sslContext",
  tlsservername: 'sslContext: { servername }',
  sasl: login,
  saslauthenticator: login,
  connectiontimeout: 'connectionSetupTimeoutMs',
  connecttimeout: 'connectionSetupTimeoutMs',
  authenticationtimeout: 'connectionSetupTimeoutMs',
  timeout: 'requestTimeoutMs',
  requesttimeout: 'requestTimeoutMs',
  enforcerequesttimeout: 'requestTimeoutMs',
  retry: 'retryBackoffMs and reconnectBackoffMs',
  retrydelay: 'retryBackoffMs',
  initialretrytime: 'reconnectBackoffMs',
  maxretrytime: 'reconnectBackoffMaxMs',
  maxinflightrequests: 'maxInFlightRequestsPerConnection',
  maxinflights: 'maxInFlightRequestsPerConnection',
  metadatamaxage: 'metadataMaxAgeMs',
  logcreator: 'logger',
  socketfactory: 'proxyUrl or socketOptions',
  // librdkafka
  metadatabrokerlist: 'bootstrapServers',
  maxinflight: 'maxInFlightRequestsPerConnection',
  sockettimeoutms: 'requestTimeoutMs',
  socketconnectionsetuptimeoutms: 'connectionSetupTimeoutMs',
  socketconnectionsetuptimeoutmaxms: 'connectionSetupTimeoutMaxMs',
  socketkeepaliveenable: 'socketOptions',
  socketnagledisable: 'socketOptions',
  socketsendbufferbytes: 'sendBufferBytes',
  socketreceivebufferbytes: 'receiveBufferBytes',
  topicmetadatarefreshintervalms: 'metadataMaxAgeMs',
  apiversionrequest: 'apiVersion',
  brokerversionfallback: 'apiVersion',
  apiversionrequesttimeoutms: 'apiVersionAutoTimeoutMs',
  sslcalocation: 'sslCaFile',
  sslcapem: 'sslContext: { ca }',
  sslca: 'sslCaFile or sslContext: { ca }',
  sslcertificatelocation: 'sslCertFile',
  sslcertificatepem: ownCertificate,
  sslcert: ownCertificate,
  sslkeylocation: 'sslKeyFile',
  sslkeypem: ownCertificate,
  sslkeypassword: 'sslPassword',
  sslpassphrase: 'sslPassword',
  sslcrllocation: 'sslCrlFile',
  sslciphersuites: 'sslCiphers',
  sslcurveslist: 'sslContext: { ecdhCurve }',
  sslsigalgslist: 'sslContext: { sigalgs }',
  enablesslcertificateverification: 'sslContext: { rejectUnauthorized }',
  rejectunauthorized: 'sslContext: { rejectUnauthorized }',
  sslendpointidentificationalgorithm: 'sslCheckHostname',
  saslmechanisms: 'saslMechanism',
  saslusername: 'saslPlainUsername',
  saslpassword: 'saslPlainPassword',
  username: 'saslPlainUsername',
  password: 'saslPlainPassword',
  mechanism: 'saslMechanism',
  saslkerberosprincipal: 'saslKerberosServiceName; the principal comes from the ticket (kinit)',
  sasloauthbearerconfig: 'saslOauthTokenProvider',
  sasloauthbearermethod: 'saslOauthTokenProvider: { oidc }',
  sasloauthbearerclientid: 'saslOauthTokenProvider: { oidc: { clientId } }',
  sasloauthbearerclientsecret: 'saslOauthTokenProvider: { oidc: { clientSecret } }',
  sasloauthbearerscope: 'saslOauthTokenProvider: { oidc: { scope } }',
  sasloauthbearertokenendpointurl: 'saslOauthTokenProvider: { oidc: { tokenEndpointUrl } }',
  oauthbearertokenrefreshcb: 'saslOauthTokenProvider',
  oauthbearerprovider: 'saslOauthTokenProvider',
  debug: "logLevel: 'debug'",
  statisticsintervalms: 'metrics',
  // Java
  saslclientcallbackhandlerclass: 'saslOauthTokenProvider',
  sasllogincallbackhandlerclass: 'saslOauthTokenProvider',
  sasljaasconfig: 'saslPlainUsername and saslPlainPassword, or saslOauthTokenProvider',
  ssltruststorelocation: 'sslCaFile',
  ssltruststorecertificates: 'sslContext: { ca }',
  sslkeystorelocation: `${ownCertificate} or { pfx, passphrase }`,
  sslkeystorepassword: 'sslPassword, or sslContext: { pfx, passphrase }',
  sslkeystorecertificatechain: ownCertificate,
  sslkeystorekey: ownCertificate,
  sslprotocol: 'sslContext: { minVersion, maxVersion }',
  sslenabledprotocols: 'sslContext: { minVersion, maxVersion }',
  defaultapitimeoutms: 'requestTimeoutMs',
  metricreporters: 'metrics',
  // kafka-python
  sslcafile: 'sslCaFile',
  sslcertfile: 'sslCertFile',
  sslkeyfile: 'sslKeyFile',
  sslcrlfile: 'sslCrlFile',
  socks5proxy: 'proxyUrl',
  apiversionautotimeoutms: 'apiVersionAutoTimeoutMs',
};

/** Whether another client has this name for an option that is one of a client here. */
export function isForeignName(key: string): boolean {
  return Object.hasOwn(foreignNames, plainName(key));
}

function plainName(key: string): string {
  return key.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** @param known the names of all options */
export function unknownKey(key: string, known: readonly string[]): string {
  const told = `unknown configuration key '${key.slice(0, shownCharacters)}'`;
  const camel = key.replace(/[._-]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  if (known.includes(camel)) return `${told}; did you mean '${camel}'?`;
  const plain = plainName(key);
  const foreign = Object.hasOwn(foreignNames, plain) ? foreignNames[plain]! : undefined;
  const near = nearestName(key.slice(0, shownCharacters), known, maxChanges);
  if (foreign !== undefined && foreign !== near) return `${told}; here it is ${foreign}`;
  return near === undefined ? told : `${told}; did you mean '${near}'?`;
}
