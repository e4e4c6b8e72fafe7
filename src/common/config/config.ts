// Owns the list of configuration keys: type, unit, default, range and meaning of each. Every thread. config-parser.ts validates
// them.

import { logLevels } from '../logger.ts';
import { maxInt32 } from '../numbers.ts';
import { type ConfigOption, file, integer, KiB, MiB, type ValueOf } from './config-kinds.ts';
import { saslMechanisms, securityProtocols } from './sasl-config.ts';

/** Every option of `KafkaClient.start`, in the order of the documentation. */
export const configOptions = {
  bootstrapServers: {
    type: 'servers',
    default: 'localhost:9092',
    doc: 'Servers to connect to first: a list, or one string with commas, of `host:port`. The default port is 9092.',
  },
  bootstrapControllers: {
    type: 'servers',
    default: null,
    doc: 'Controllers to connect to instead of brokers, for Admin alone: `host:port` of their own listener (KIP-919, Kafka 3.7 and later). Not together with `bootstrapServers`.',
  },
  bootstrapTopicsFilter: {
    type: 'topics',
    default: [],
    doc: 'Topics in the metadata from a bootstrap server while no topics are tracked. Empty: none.',
  },
  clientId: {
    type: 'string',
    default: 'offthread-kafka',
    // Every request header has its length as an int16.
    maxBytes: 32767,
    doc: 'Sent in every request header. Brokers use it in their logs and for quotas.',
  },
  reconnectBackoffMs: integer(
    50,
    0,
    maxInt32,
    'Wait before the first reconnection to a node. It doubles with each failure.',
  ),
  reconnectBackoffMaxMs: integer(1000, 0, maxInt32, 'Limit of the reconnection wait, before 20 % of jitter.'),
  requestTimeoutMs: integer(
    30000,
    1,
    maxInt32,
    'Limit of the time from `send` of a request to its response. The network thread checks it.',
  ),
  connectionSetupTimeoutMs: integer(
    10000,
    1,
    maxInt32,
    'Limit of one connection attempt: name look-up, TCP, TLS, version exchange and login together. It doubles with each failure (KIP-601).',
  ),
  connectionSetupTimeoutMaxMs: integer(
    30000,
    1,
    maxInt32,
    'Limit of the doubling of `connectionSetupTimeoutMs` (KIP-601).',
  ),
  connectionsMaxIdleMs: integer(
    540000,
    -1,
    maxInt32,
    'A connection without requests for this time is closed. 0 or less: never.',
  ),
  retryBackoffMs: integer(
    100,
    0,
    maxInt32,
    'Least time between the end of one metadata refresh and the start of the next.',
  ),
  metadataMaxAgeMs: integer(300000, 0, maxInt32, 'Metadata that is older than this is refreshed.'),
  metadataRecoveryRebootstrapTriggerMs: integer(
    300000,
    1,
    maxInt32,
    'After this time without metadata, the client starts again with `bootstrapServers` and resolves their names again (KIP-1102). It does so at once when every known broker has failed.',
  ),
  metadataClusterCheckEnable: {
    type: 'boolean',
    default: true,
    doc: 'Tell brokers (4.4 and later) which cluster and node a connection is for. A broker refuses the connection if a proxy, a load balancer or an old address led it to the wrong broker. The client then asks the bootstrap servers again (KIP-1242).',
  },
  maxInFlightRequestsPerConnection: integer(
    5,
    1,
    65535,
    'How many requests to one node may await their response at a time.',
  ),
  receiveMessageMaxBytes: integer(
    100000000,
    4,
    1 << 30,
    'Largest response frame that is accepted. A larger one ends its connection.',
  ),
  receiveBudgetBytes: integer(
    256 * MiB,
    64 * KiB,
    maxInt32 - 7,
    'Limit of the memory of all response frames that are being received, of those larger than 64 KiB. At the limit, the sockets of further ones are not read. A single larger frame is received alone.',
  ),
  decompressedMaxBytes: integer(400000000, 1024, maxInt32, 'Largest decompressed size of one record batch.'),
  codecPoolThreads: integer(
    2,
    0,
    64,
    'Number of threads that compress and decompress big batches. They are started when first needed. 0: the network thread does all of it.',
  ),
  codecPoolThresholdBytes: integer(
    128 * KiB,
    64 * KiB,
    maxInt32,
    'The codec pool decodes compressed frames, and compressed records of consumers, that are larger than this, and compresses requests and batches of producers with more bytes than this.',
  ),
  codecPoolPlainBytes: integer(
    0,
    0,
    maxInt32,
    'The codec pool decodes responses to requests of the application that hold records and are larger than this, even if nothing in them is compressed. 0: never. At least 64 KiB otherwise. It relieves a busy network thread on a machine with a free core; docs/codecs.md says from which size on. Consumers are not concerned.',
  ),
  checkCrcs: { type: 'boolean', default: true, doc: 'Verify the checksum of every fetched record batch.' },
  apiVersion: {
    type: 'version',
    default: null,
    doc: 'Broker version, e.g. `[2, 8]`. `start` then waits for no server, and the client only uses what brokers of this version support. Null: the first server that answers is asked.',
  },
  apiVersionAutoTimeoutMs: integer(
    2000,
    1,
    maxInt32,
    'Limit of the time in which `start` must find a usable server when `apiVersion` is null.',
  ),
  securityProtocol: {
    type: 'choice',
    default: 'PLAINTEXT',
    choices: securityProtocols,
    doc: 'How connections are secured.',
  },
  receiveBufferBytes: {
    type: 'integer',
    default: null,
    min: 1,
    max: 1 << 30,
    doc: 'Size of the system’s receive buffer of a connection (SO_RCVBUF). Needs Linux and the package `koffi`. Null: the system’s default.',
  },
  sendBufferBytes: {
    type: 'integer',
    default: null,
    min: 1,
    max: 1 << 30,
    doc: 'Size of the system’s send buffer of a connection (SO_SNDBUF). Needs Linux and the package `koffi`. Null: the system’s default.',
  },
  socketOptions: {
    type: 'socketOptions',
    default: null,
    doc: 'List of `[level, option, value]`, set in order before connecting. All options but no-delay and keep-alive need Linux and the package `koffi`. Null: no-delay and keep-alive are on.',
  },
  proxyUrl: {
    type: 'secret',
    default: null,
    doc: 'Proxy for all connections: `socks5://`, `socks5h://` (the proxy resolves names) or `http://` (CONNECT), with `user:password@` if the proxy needs a login.',
  },
  sslContext: {
    type: 'sslContext',
    default: null,
    doc: 'TLS settings by value, as for `tls.createSecureContext`. All other `ssl` keys but `sslCheckHostname` are then ignored.',
  },
  sslCheckHostname: {
    type: 'boolean',
    default: true,
    doc: "Whether a broker's certificate must be for the name that the client connects to. The issuer is checked in either case.",
  },
  sslCaFile: file('PEM file of the only authorities to trust. Null: the authorities that Node trusts.'),
  sslCertFile: file('PEM file of the client certificate, followed by its issuers. The file may hold the key too.'),
  sslKeyFile: file('PEM file of the key of `sslCertFile`.'),
  sslPassword: { type: 'secret', default: null, doc: 'Pass phrase of the key.' },
  sslCrlFile: file('PEM file of revocation lists. It must have a list of every issuer in the chain of a broker.'),
  sslCiphers: {
    type: 'string',
    default: null,
    maxBytes: 65535,
    doc: 'OpenSSL cipher list. Without a cipher of TLS 1.3 in it, only TLS 1.2 is used. With only ciphers of TLS 1.3, only TLS 1.3 is used.',
  },
  metrics: {
    type: 'boolean',
    default: false,
    doc: 'Record metrics, for `client.metrics()` and the adapters (docs/metrics.md).',
  },
  metricGroupPrefix: {
    type: 'string',
    default: '',
    maxBytes: 255,
    doc: 'Prefix of the group names of `client.metrics()`. Unless it is empty, a hyphen follows it.',
  },
  saslMechanism: {
    type: 'choice',
    default: null,
    choices: saslMechanisms,
    doc: 'How connections log in. Needed with SASL_PLAINTEXT and SASL_SSL.',
  },
  saslPlainUsername: {
    type: 'string',
    default: null,
    maxBytes: 65535,
    doc: 'User of PLAIN and SCRAM.',
  },
  saslPlainPassword: { type: 'secret', default: null, doc: 'Password of PLAIN and SCRAM.' },
  saslDelegationToken: {
    type: 'boolean',
    default: false,
    doc: 'Whether user and password of SCRAM are the id and HMAC of a delegation token (KIP-48).',
  },
  saslKerberosServiceName: {
    type: 'string',
    default: 'kafka',
    maxBytes: 1024,
    doc: 'Kerberos service of the brokers, for GSSAPI.',
  },
  saslKerberosDomainName: {
    type: 'string',
    default: null,
    maxBytes: 1024,
    doc: 'Host in the Kerberos service name, for GSSAPI. Null: the host of the node.',
  },
  saslOauthTokenProvider: {
    type: 'tokenProvider',
    default: null,
    doc: 'The source of tokens for OAUTHBEARER: an object with `token()`, the URL of a module that has it, or `{ oidc }`.',
  },
  logger: {
    type: 'logger',
    default: null,
    doc: 'Takes the log records: pino, console, or any object with their `debug`, `info`, `warn` and `error` (docs/logging.md). Null: process warnings.',
  },
  logLevel: {
    type: 'choice',
    default: 'warn',
    choices: [...logLevels, 'silent'],
    doc: 'Records below this level are not logged.',
  },
  selector: {
    type: 'choice',
    default: 'default',
    choices: ['default'],
    doc: "How the client waits for sockets. There is one way, Node's own event loop.",
  },
  sockChunkBytes: integer(
    4096,
    1,
    maxInt32,
    'Accepted because kafka-python has it; no effect. A connection reads into 64 KiB, or straight into the memory of a big frame.',
  ),
  sockChunkBufferCount: integer(
    1000,
    1,
    maxInt32,
    'Accepted because kafka-python has it; no effect. Node decides how often a socket is read in a row.',
  ),
  wakeupTimeoutMs: integer(
    3000,
    0,
    maxInt32,
    'Accepted because kafka-python has it; no effect. `wakeup` never waits, because it uses no pipe.',
  ),
  closeTimeoutMs: integer(5000, 0, maxInt32, 'How long `close()` waits for requests in flight before it cancels them.'),
  networkThreadTimeoutMs: integer(
    60_000,
    0,
    maxInt32,
    'If the network thread makes no turn for this time while requests or calls are under way, it counts as stuck and is ended. 0: no limit, for example to debug it.',
  ),
  blockedThreadWarnMs: integer(
    10_000,
    0,
    maxInt32,
    'If an application thread reads nothing for this time although something waits for it, a warning says so once, with figures (docs/logging.md, `thread-blocked`). 0: never.',
  ),
  maxRequestSizeBytes: integer(
    100 * MiB,
    1024,
    maxInt32,
    'Largest request that is sent. A larger one fails with InvalidRequestError, because a broker closes the connection for a request above its `socket.request.max.bytes`.',
  ),
  workerUrl: {
    type: 'url',
    default: null,
    doc: "Module that the network thread runs, for bundlers that leave it out: `import.meta.resolve('offthread-kafka/worker')` if the package is installed, or the URL of a bundle of that entry. Null: the module beside this one.",
  },
  requestRingBytes: integer(
    1 * MiB,
    4 * KiB,
    1 << 30,
    'Size of the ring of requests, in shared memory. It is rounded up to a power of two.',
  ),
  responseRingBytes: integer(
    4 * MiB,
    4 * KiB,
    1 << 30,
    'Size of the ring of responses, in shared memory. It is rounded up to a power of two.',
  ),
  spillBytes: integer(
    64 * KiB,
    256,
    1 << 28,
    'Bodies that are larger than this are moved between threads instead of copied through the ring.',
  ),
  spillBudgetBytes: integer(
    256 * MiB,
    64 * KiB,
    maxInt32 - 7,
    'Limit of the bytes of moved bodies that are under way in one direction. At the limit, reading stops.',
  ),
} as const satisfies Record<string, ConfigOption>;

/** The effective configuration, validated and frozen. */
export type KafkaClientConfig = { readonly [K in keyof typeof configOptions]: ValueOf<(typeof configOptions)[K]> };

export type { KafkaClientOptions } from './generated/options.ts';
