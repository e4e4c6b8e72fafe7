// Owns the attributes that OpenTelemetry's conventions for messaging give to spans, under their former and their present names.
// Application thread. Source: OpenTelemetry semantic conventions, "Messaging spans" and "Kafka", and OTEL_SEMCONV_STABILITY_OPT_IN.

/** Which names are used: those before the stabilisation, those since then, or both. */
export type MessagingNames = 'former' | 'present' | 'both';

/** The facts of one operation. What is left out is not known. */
export interface MessagingFacts {
  /** What the client does: `send` one record, or `process` a batch. */
  readonly operation: 'send' | 'process';
  readonly topic: string;
  readonly partition?: number;
  readonly groupId?: string;
  /** Of the record, or of the batch's first. */
  readonly offset?: number;
  /** The key as text. Leave it out for keys that are no text. */
  readonly key?: string;
  /** Whether the record has no value. */
  readonly isTombstone?: boolean;
  /** How many records a batch has. */
  readonly count?: number;
  /** Low in number: a code of an error, or the name of its class. */
  readonly errorType?: string;
}

export type SpanAttributes = Record<string, string | number | boolean>;

/**
 * What OTEL_SEMCONV_STABILITY_OPT_IN asks for: a list with commas. `messaging` means the present names, `messaging/dup` both; without
 * either the former names stay.
 */
export function messagingNamesOf(optIn: string | undefined): MessagingNames {
  const asked = (optIn ?? '').split(',').map((entry) => entry.trim());
  if (asked.includes('messaging/dup')) return 'both';
  return asked.includes('messaging') ? 'present' : 'former';
}

/** The name of a span: the operation and where it happens, in the order that the names ask for. */
export function spanName({ operation, topic }: MessagingFacts, names: MessagingNames): string {
  if (names !== 'former') return `${operation} ${topic}`;
  return `${topic} ${operation === 'send' ? 'publish' : 'process'}`;
}

export function messagingAttributes(facts: MessagingFacts, names: MessagingNames): SpanAttributes {
  return {
    ...(names === 'present' ? {} : formerAttributes(facts)),
    ...(names === 'former' ? {} : presentAttributes(facts)),
  };
}

function presentAttributes({
  operation,
  partition,
  groupId,
  offset,
  isTombstone,
  ...facts
}: MessagingFacts): SpanAttributes {
  return known({
    'messaging.system': 'kafka',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': facts.topic,
    'messaging.destination.partition.id': partition === undefined ? undefined : String(partition),
    'messaging.consumer.group.name': groupId,
    'messaging.kafka.offset': offset,
    'messaging.kafka.message.key': facts.key,
    'messaging.kafka.message.tombstone': isTombstone === true ? true : undefined,
    'messaging.batch.message_count': facts.count,
    'error.type': facts.errorType,
  });
}

function formerAttributes({
  operation,
  partition,
  groupId,
  offset,
  isTombstone,
  ...facts
}: MessagingFacts): SpanAttributes {
  return known({
    'messaging.system': 'kafka',
    'messaging.operation': operation === 'send' ? 'publish' : 'process',
    'messaging.destination.name': facts.topic,
    'messaging.kafka.destination.partition': partition,
    'messaging.kafka.consumer.group': groupId,
    'messaging.kafka.message.offset': offset,
    'messaging.kafka.message.key': facts.key,
    'messaging.kafka.message.tombstone': isTombstone === true ? true : undefined,
    'messaging.batch.message_count': facts.count,
    'error.type': facts.errorType,
  });
}

function known(attributes: Readonly<Record<string, string | number | boolean | undefined>>): SpanAttributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)) as SpanAttributes;
}
