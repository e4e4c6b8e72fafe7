// Owns docs/errors.md: the error classes as a page. Development only, runs in the generator. Meanings come from the classes' own
// documentation, so that page and editor say the same.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as errors from '../../common/errors/errors.ts';
import { brokerErrorClasses } from '../../common/errors/generated/broker-errors.ts';

interface ErrorClass {
  readonly name: string;
  readonly code: string;
  readonly retriable: boolean;
}

/** Files with hand-written classes, in the order of the page. */
const sources = ['kafka-client-error.ts', 'errors.ts', 'producer-errors.ts', 'consumer-errors.ts', 'broker-error.ts'];
const folder = 'src/common/errors';

/** What to change or look at, where there is something. */
const remedies: Readonly<Record<string, string>> = {
  KAFKA_CONNECTION: 'The text names address and reason. `bootstrapServers`, `proxyUrl`, `connectionSetupTimeoutMs`',
  KAFKA_NODE_NOT_READY: 'Wait with `awaitReady` before `send`. `reconnectBackoffMs`, `requestTimeoutMs`',
  KAFKA_NO_BROKERS_AVAILABLE:
    '`causes` names each server and what was wrong. `bootstrapServers`, `securityProtocol`, `apiVersionAutoTimeoutMs`',
  KAFKA_CANCELLED: 'Close later, or wait for the Futures first. `closeTimeoutMs`',
  KAFKA_ABORTED: 'The `signal` of the call',
  KAFKA_INVALID_RECEIVE:
    '`receiveMessageMaxBytes`; with the bytes of TLS or HTTP at the port: `securityProtocol`, `bootstrapServers`',
  KAFKA_TIMEOUT: 'The `timeoutMs` of the call, or the option that the text names',
  KAFKA_RING_FULL: 'Send less at a time, and await Futures. `requestRingBytes`',
  KAFKA_NETWORK_THREAD:
    '[Start a new client](reliability.md#a-network-thread-that-is-lost). If the thread was not found: `workerUrl` ([bundlers.md](bundlers.md)). If it was stuck: `networkThreadTimeoutMs`',
  KAFKA_CONFIGURATION: '`problems` lists every option that is wrong',
  KAFKA_INCOMPATIBLE_BROKER_VERSION: 'The broker is too old for the request. `apiVersion` if it is set',
  KAFKA_UNRECOGNIZED_BROKER_VERSION: '`apiVersion`',
  KAFKA_UNSUPPORTED_CODEC: 'Install the package that the text names ([codecs.md](codecs.md)). `compressionType`',
  KAFKA_TOO_MANY_OPEN: 'Close what is not needed. The limits are in [threads.md](threads.md#how-much-may-be-open)',
  KAFKA_TOO_MANY_IN_FLIGHT_REQUESTS:
    'Await answers, put more into one request, or use a lane. `maxInFlightRequestsPerConnection`',
  KAFKA_UNKNOWN_BROKER_ID: 'Take node ids from `client.cluster`',
  KAFKA_TLS_AUTHENTICATION: '`sslCaFile`, `sslCertFile`, `sslKeyFile`, `sslCheckHostname` ([security.md](security.md))',
  KAFKA_DELIVERY_TIMEOUT:
    '`deliveryTimeoutMs`, `requestTimeoutMs`. `maybeWritten` says whether the records may be in the log',
  KAFKA_BUFFER_EXHAUSTED: 'Wait with `ready`. `bufferMemoryBytes`, `maxBlockMs`',
  KAFKA_TOPIC_METADATA_TIMEOUT: 'The topic may not exist. `maxBlockMs`',
  KAFKA_RECORD_TOO_LARGE: '`maxRequestSizeBytes`, `bufferMemoryBytes`, and the broker’s `message.max.bytes`',
  KAFKA_SERIALIZATION: '`serializeKey`, `serializeValue`',
  KAFKA_PRODUCER_FATAL: 'Close the producer and start another. `cause` says why',
  KAFKA_NO_OFFSET_FOR_PARTITION: '`autoOffsetReset`, or `seek`',
  KAFKA_POSITION_OUTSIDE_LOG: '`autoOffsetReset`, or `seek`',
  KAFKA_LOG_TRUNCATION: '`autoOffsetReset`, or `seek`',
  KAFKA_COMMIT_FAILED: 'Process faster or in smaller batches. `maxPollIntervalMs`, `batchMaxBytes`',
  KAFKA_GROUP_FATAL: 'Close the consumer. `cause` is the broker’s error',
};

export function errorsPage(root: string): string {
  const own = sources.flatMap((file) => classesOf(readFileSync(join(root, folder, file), 'utf8')));
  const unused = Object.keys(remedies).filter((code) => !own.some((row) => row.includes(`\`${code}\``)));
  if (unused.length > 0) throw new Error(`remedies for codes that no class has: ${unused}`);
  const broker = [...brokerErrorClasses].map(([number, type]) => {
    const { name, errorName, meaning, retriable } = type;
    return `| ${number} | \`${errorName}\` | \`${name}\` | ${retriable ? 'yes' : 'no'} | ${cell(meaning)} |`;
  });
  return `${head}${own.join('\n')}\n${brokerHead}${broker.join('\n')}\n`;
}

/** A row for each class of a source file that has a code. */
function classesOf(text: string): string[] {
  const pattern = /\/\*\*((?:(?!\*\/).)*)\*\/\s*export (?:abstract )?class (\w+)/gs;
  return [...text.matchAll(pattern)].map(([, comment, name]) => {
    const type = (errors as unknown as Record<string, ErrorClass | undefined>)[name!];
    if (type === undefined) throw new Error(`${name} is not exported by errors.ts`);
    const meaning = comment!
      .replaceAll(/\n\s*\*/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim();
    const { code, retriable } = type;
    return `| \`${code}\` | \`${name}\` | ${retriable ? 'yes' : 'no'} | ${cell(meaning)} | ${cell(remedies[code] ?? '')} |`;
  });
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

const head = `# Errors

Everything that fails a call or a Future is a \`KafkaClientError\`. Its text ends with its code, as in
\`... had no response within 30000 ms [KAFKA_REQUEST_TIMED_OUT]\`. It has a stable \`code\`, an honest \`retriable\` (whether the same may succeed
later), \`invalidMetadata\` (whether to refresh metadata first), and a \`cause\` where another error is behind it. Errors about a node have
\`nodeId\`, errors about a partition \`topic\` and \`partition\`. No text and no field holds a secret.

A Kafka error code inside a response of \`client.send\` is data: \`errorFor(code)\` makes an error from it, or null for 0. Producer, Consumer
and Admin do that themselves, and fail with the error of the broker.

<!-- Generated by npm run generate from src/common/errors; do not edit. -->

## Errors of the client

| code | class | retriable | meaning | what to do, options that matter |
|---|---|---|---|---|
`;

const brokerHead = `
## Errors of brokers

Their \`code\` is \`KAFKA_\` and Kafka's name. \`errorCode\` is the number, \`errorName\` Kafka's name.

| number | name | class | retriable | meaning |
|---|---|---|---|---|
`;
