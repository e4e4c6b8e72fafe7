// Owns the names of other Kafka clients' options (Java's consumer, kafkajs, librdkafka) and what to use instead. Every thread.

const commitText = "use commit: 'processed', 'manual' or { everyMs }";
const membershipText = 'leave it out: membership does not depend on the application here';

const known: Readonly<Record<string, string>> = {
  enableautocommit: `${commitText}`,
  autocommit: commitText,
  autocommitintervalms: 'use commit: { everyMs }',
  autocommitinterval: 'use commit: { everyMs }',
  autocommitthreshold: 'use commit: { everyMs }',
  maxpollrecords: 'use batchMaxBytes: whole batches are handed out as views',
  frombeginning: "use autoOffsetReset: 'earliest'",
  sessiontimeout: 'use sessionTimeoutMs, in ms',
  rebalancetimeout: 'use maxPollIntervalMs, in ms',
  heartbeatinterval: 'use heartbeatIntervalMs, in ms',
  metadatamaxage: 'use metadataMaxAgeMs, an option of the client',
  maxbytesperpartition: 'use maxPartitionFetchBytes',
  minbytes: 'use fetchMinBytes',
  maxbytes: 'use fetchMaxBytes',
  maxwaittimeinms: 'use fetchMaxWaitMs',
  maxwaittime: 'use fetchMaxWaitMs',
  maxinflightrequests: 'use maxInFlightRequestsPerConnection, an option of the client',
  rackid: 'use clientRack',
  readuncommitted: "use isolationLevel: 'read_uncommitted' or 'read_committed'",
  partitionassigners: 'use partitionAssignmentStrategy, a list of names',
  partitionsconsumedconcurrently: 'use run(handler, { concurrency })',
  eachmessage: 'use run(handler), or for await',
  eachbatch: 'use run(handler), or for await',
  groupremoteassignor: 'use groupRemoteAssignor',
  bootstrapservers: 'it is an option of the client: pass it to KafkaClient.start or Consumer.start',
  brokers: 'use bootstrapServers, an option of the client',
  metadatabrokerlist: 'use bootstrapServers, an option of the client',
  queuedmaxmessageskbytes: 'use prefetchBytes',
  queuedminmessages: 'use prefetchBytes',
  fetchmessagemaxbytes: 'use maxPartitionFetchBytes',
  fetchwaitmaxms: 'use fetchMaxWaitMs',
  fetcherrorbackoffms: 'use retryBackoffMs, an option of the client',
  enableautooffsetstore: 'call done() of a batch: only what is done is committed',
  enablepartitioneof: 'use batch.lag, or consumer.lag()',
  checkcrcs: 'use checkCrcs, an option of the client',
  keydeserializer: 'pass functions to batch.deserialized({ key, value })',
  valuedeserializer: 'pass functions to batch.deserialized({ key, value })',
  interceptorclasses: 'leave it out: there are no interceptors here',
  heartbeat: membershipText,
  socketkeepaliveenable: 'use socketOptions, an option of the client',
  autooffsetresetduration: 'use autoOffsetReset: { agoMs }',
};

/** What to use instead of another client's option. Null if the option is not known. */
export function foreignOption(key: string): string | null {
  const plain = key.replace(/[._-]/g, '').toLowerCase();
  return Object.hasOwn(known, plain) ? known[plain]! : null;
}
