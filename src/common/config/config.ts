// Owns every configuration key: its type, unit, default, range and meaning, declared once. Every thread. Validation into a
// frozen plain object is config-parser.ts.

import { logLevels } from '../logger.ts';
import { type ConfigOption, file, type InputOf, integer, KiB, MiB, maxInt32, type ValueOf } from './config-kinds.ts';
import { saslMechanisms, securityProtocols } from './sasl-config.ts';

/** Every option of `KafkaClient.start`, in the order of the documentation. */
export const configOptions = {
  bootstrapServers: {
    type: 'servers',
    default: 'localhost:9092',
    doc: 'Servers to start from: a list, or one string with commas, of `host:port`; port 9092 when left out.',
  },
  bootstrapTopicsFilter: {
    type: 'topics',
    default: [],
    doc: 'Topics that metadata from a bootstrap server covers while none are tracked. Empty: none.',
  },
  clientId: {
    type: 'string',
    default: 'offthread-kafka',
    // An int16 length in every request header.
    maxBytes: 32767,
    doc: 'Sent in every request header; brokers log and quota by it.',
  },
  reconnectBackoffMs: integer(
    50,
    0,
    maxInt32,
    'Wait before the first reconnection to a node; doubles with each failure.',
  ),
  reconnectBackoffMaxMs: integer(1000, 0, maxInt32, 'Limit of the reconnection wait, before 20 % of jitter.'),
  requestTimeoutMs: integer(
    30000,
    1,
    maxInt32,
    'Life of a request from `send` to its response, judged in the network thread.',
  ),
  connectionSetupTimeoutMs: integer(
    10000,
    1,
    maxInt32,
    'Limit of one connection attempt: name look-up, TCP, TLS, version exchange and login together; doubles with each failure (KIP-601).',
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
    'A connection without requests for this long is closed; 0 or less: never.',
  ),
  retryBackoffMs: integer(
    100,
    0,
    maxInt32,
    'Least time between the end of one metadata refresh and the start of the next.',
  ),
  metadataMaxAgeMs: integer(300000, 0, maxInt32, 'Metadata older than this is refreshed.'),
  metadataRecoveryRebootstrapTriggerMs: integer(
    300000,
    1,
    maxInt32,
    'Without metadata for this long the client starts over from `bootstrapServers`, names resolved again (KIP-1102); it does so at once when every known broker has failed.',
  ),
  metadataClusterCheckEnable: {
    type: 'boolean',
    default: true,
    doc: 'Tell brokers (4.4 and later) which cluster and node a connection is meant for: they refuse one that a proxy, a load balancer or an old address led elsewhere, and the client asks the bootstrap servers again (KIP-1242).',
  },
  maxInFlightRequestsPerConnection: integer(
    5,
    1,
    65535,
    'Requests to one node that may await their response at a time.',
  ),
  receiveMessageMaxBytes: integer(
    100000000,
    4,
    1 << 30,
    'Largest response frame accepted; a larger one ends its connection.',
  ),
  decompressedMaxBytes: integer(400000000, 1024, maxInt32, 'Largest decompressed size of one record batch.'),
  codecPoolThreads: integer(
    2,
    0,
    64,
    'Threads that compress and decompress big batches; started when first needed. 0: the network thread does it all.',
  ),
  codecPoolThresholdBytes: integer(
    128 * KiB,
    64 * KiB,
    maxInt32,
    'Compressed frames larger than this are decoded, and requests with more bytes to compress encoded, in the codec pool.',
  ),
  checkCrcs: { type: 'boolean', default: true, doc: 'Verify the checksum of every fetched record batch.' },
  apiVersion: {
    type: 'version',
    default: null,
    doc: 'Broker version, e.g. `[2, 8]`: `start` then waits for no server, and nothing newer than such brokers speak is used. Null: taken from the first server that answers.',
  },
  apiVersionAutoTimeoutMs: integer(
    2000,
    1,
    maxInt32,
    'Time `start` may take to find a usable server when `apiVersion` is null.',
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
    doc: 'The system’s receive buffer of a connection (SO_RCVBUF); needs Linux and the package `koffi`. Null: as the system has it.',
  },
  sendBufferBytes: {
    type: 'integer',
    default: null,
    min: 1,
    max: 1 << 30,
    doc: 'The system’s send buffer of a connection (SO_SNDBUF); needs Linux and the package `koffi`. Null: as the system has it.',
  },
  socketOptions: {
    type: 'socketOptions',
    default: null,
    doc: 'List of `[level, option, value]`, set in order before connecting; all but no-delay and keep-alive need Linux and the package `koffi`. Null: both of these on.',
  },
  proxyUrl: {
    type: 'secret',
    default: null,
    doc: 'Proxy that all connections go through: `socks5://`, `socks5h://` (it resolves names) or `http://` (CONNECT), with `user:password@` if it wants them.',
  },
  sslContext: {
    type: 'sslContext',
    default: null,
    doc: 'TLS settings by value, as for `tls.createSecureContext`; the other `ssl` keys but `sslCheckHostname` are then ignored.',
  },
  sslCheckHostname: {
    type: 'boolean',
    default: true,
    doc: "Whether a broker's certificate must be for the name that is connected to. Who issued it is checked all the same.",
  },
  sslCaFile: file('PEM file of the only authorities to trust. Null: those that Node brings along.'),
  sslCertFile: file('PEM file of the client certificate, its issuers behind it; it may hold the key, too.'),
  sslKeyFile: file('PEM file of the key of `sslCertFile`.'),
  sslPassword: { type: 'secret', default: null, doc: 'Pass phrase of the key.' },
  sslCrlFile: file('PEM file of revocation lists: one of every issuer in the chain of a broker is needed.'),
  sslCiphers: {
    type: 'string',
    default: null,
    maxBytes: 65535,
    doc: 'OpenSSL cipher list. Without a name of TLS 1.3 in it, TLS 1.2 is spoken; with no others, TLS 1.3.',
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
    doc: 'Stands in front of the group names of `client.metrics()`, with a hyphen behind it unless empty.',
  },
  saslMechanism: {
    type: 'choice',
    default: null,
    choices: saslMechanisms,
    doc: 'How connections log in; needed with SASL_PLAINTEXT and SASL_SSL.',
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
    doc: 'User and password of SCRAM are id and HMAC of a delegation token (KIP-48).',
  },
  saslKerberosServiceName: {
    type: 'string',
    default: 'kafka',
    maxBytes: 1024,
    doc: 'Kerberos service that the brokers run as, for GSSAPI.',
  },
  saslKerberosDomainName: {
    type: 'string',
    default: null,
    maxBytes: 1024,
    doc: 'Host in the Kerberos service name, for GSSAPI. Null: the host of the node connected to.',
  },
  saslOauthTokenProvider: {
    type: 'tokenProvider',
    default: null,
    doc: 'Where tokens of OAUTHBEARER come from: an object with `token()`, the URL of a module that has it, or `{ oidc }`.',
  },
  logger: {
    type: 'logger',
    default: null,
    doc: 'Where log records go: pino, console, or what has their `debug`, `info`, `warn` and `error` (docs/logging.md). Null: process warnings.',
  },
  logLevel: {
    type: 'choice',
    default: 'warn',
    choices: [...logLevels, 'silent'],
    doc: 'Log records below this level are not made.',
  },
  selector: {
    type: 'choice',
    default: 'default',
    choices: ['default'],
    doc: "How readiness of sockets is found out. There is one way, Node's own event loop.",
  },
  sockChunkBytes: integer(
    4096,
    1,
    maxInt32,
    "Taken for kafka-python's sake, without effect: a connection reads into 64 KiB, or straight into the memory of a big frame.",
  ),
  sockChunkBufferCount: integer(
    1000,
    1,
    maxInt32,
    "Taken for kafka-python's sake, without effect: how often a socket is read in a row is up to Node.",
  ),
  wakeupTimeoutMs: integer(
    3000,
    0,
    maxInt32,
    "Taken for kafka-python's sake, without effect: `wakeup` never waits, there is no pipe that could be full.",
  ),
  closeTimeoutMs: integer(5000, 0, maxInt32, 'How long `close()` waits for requests in flight before it cancels them.'),
  networkThreadTimeoutMs: integer(
    60_000,
    0,
    maxInt32,
    'How long the network thread may make no turn while requests or calls are under way before it counts as stuck and is ended; 0: for ever, as when it is debugged.',
  ),
  maxRequestSizeBytes: integer(
    100 * MiB,
    1024,
    maxInt32,
    'Largest request that is sent; a larger one fails with InvalidRequestError, since a broker closes the connection on what is above its `socket.request.max.bytes`.',
  ),
  workerUrl: {
    type: 'url',
    default: null,
    doc: "Module that the network thread runs, for bundlers that leave it behind: `import.meta.resolve('offthread-kafka/worker')` where the package is installed, or the URL of a bundle of that entry. Null: found beside this module.",
  },
  requestRingBytes: integer(
    1 * MiB,
    4 * KiB,
    1 << 30,
    'Shared memory for requests on their way out; rounded up to a power of two.',
  ),
  responseRingBytes: integer(
    4 * MiB,
    4 * KiB,
    1 << 30,
    'Shared memory for responses on their way in; rounded up to a power of two.',
  ),
  spillBytes: integer(
    64 * KiB,
    256,
    1 << 28,
    'Bodies larger than this are moved between threads instead of copied through the ring.',
  ),
  spillBudgetBytes: integer(
    256 * MiB,
    64 * KiB,
    maxInt32 - 7,
    'Moved bodies that may be under way in one direction before reading stops.',
  ),
} as const satisfies Record<string, ConfigOption>;

/** The effective configuration, validated and frozen. */
export type KafkaClientConfig = { readonly [K in keyof typeof configOptions]: ValueOf<(typeof configOptions)[K]> };

/** What `KafkaClient.start` accepts: any subset of the options; undefined is as if it were not there. */
export type KafkaClientOptions = { [K in keyof typeof configOptions]?: InputOf<(typeof configOptions)[K]> | undefined };
