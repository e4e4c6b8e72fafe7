// Owns the kinds of frames and the words of their fixed prefixes: what the two ends of an attachment say to each other.
// Runs on every thread. Must not know how frames are stored, nor what a Kafka message holds.

/** Fills the end of the ring before a frame that has to start at offset 0. Never leaves ring-buffer.ts. */
export const PAD = 0;

// Application thread to network thread.

/** One request. requestId; detail = nodeId; body = SEND prefix, then the flat request. */
export const SEND = 1;
/** A fence. requestId = id of the poll, which POLLED repeats; no body. */
export const POLL = 2;
/** Connect to a node. detail = nodeId; no body. */
export const CONNECT = 3;
/** Close the connection to a node. detail = nodeId; no body. */
export const DISCONNECT = 4;
/** Connect to a broker in a lane, which becomes a node by that. detail = broker id; body = the lane's name, ASCII. */
export const CONNECT_LANE = 5;

// Network thread to application thread.

/** One response. requestId; detail = nodeId; body = RESPONSE prefix, then the flat response; no body = Produce with acks 0 was sent. */
export const RESPONSE = 16;
/** A request failed. requestId; detail = nodeId; body = UTF-8 JSON of a PlainError. */
export const FAILURE = 17;
/** A newer Metadata response. detail = nodeId that sent it; body as of RESPONSE. */
export const METADATA = 18;
/** Answers POLL. requestId = id of the poll; no body. */
export const POLLED = 19;

// Links of producers: 64 to 79 to the network thread, 80 to 95 from it; their bodies are those of producer-frames.ts.

/** One record. requestId = trackId, 0 for none; detail = topic handle; body: RECORD prefix, then the record in wire format from its key's length on. */
export const RECORD = 64;
/** Names a topic. detail = topic handle; body = the name in UTF-8. */
export const TOPIC = 65;
/** All that was posted before is to be sent now. requestId, which FLUSHED repeats; no body. */
export const FLUSH = 66;
/** A group of records is complete. requestId = trackId of the group; detail = how many records; no body. */
export const GROUP_END = 67;
/** A transaction begins. requestId, which TRANSACTION_DONE repeats; no body. */
export const TRANSACTION_BEGIN = 68;
/** Offsets are to be committed with the transaction. requestId as above; body = JSON. */
export const TRANSACTION_OFFSETS = 69;
/** The transaction ends. requestId as above; detail = 1 commit, 0 abort; no body. */
export const TRANSACTION_END = 70;
/** No more records come. requestId, which PRODUCER_CLOSED repeats; detail = ms until what is left fails, -1 for no limit; no body. */
export const PRODUCER_CLOSE = 71;

/** One batch has ended. detail = topic handle; body: DELIVERED prefix, runs of records, the error as JSON. */
export const DELIVERED = 80;
/** All records of a group have ended. requestId = its trackId; detail = how many failed; no body. */
export const GROUP_DONE = 81;
/** All records before a flush have ended. requestId of the FLUSH; no body. */
export const FLUSHED = 82;
/** A call of the transaction has ended. requestId of the call; no body, or the error as JSON. */
export const TRANSACTION_DONE = 83;
/** The producer can only be closed. body = the error as JSON. */
export const PRODUCER_FATAL = 84;
/** The producer has ended. requestId of PRODUCER_CLOSE; no body. */
export const PRODUCER_CLOSED = 85;

const producerKinds: readonly number[] = [
  ...[RECORD, TOPIC, FLUSH, GROUP_END, TRANSACTION_BEGIN, TRANSACTION_OFFSETS, TRANSACTION_END, PRODUCER_CLOSE],
  ...[DELIVERED, GROUP_DONE, FLUSHED, TRANSACTION_DONE, PRODUCER_FATAL, PRODUCER_CLOSED],
];
// Application thread to network thread, on the link of a consumer.

/** A call. requestId; body = UTF-8 JSON of a ConsumerCall. */
export const CONSUMER_CALL = 96;

// Network thread to application thread, on the link of a consumer.

/** Records. requestId = place in the batch table; detail = handle of the topic; body = CONSUMER_BATCH prefix, then flat records. */
export const CONSUMER_BATCH = 112;
/** Answers CONSUMER_CALL. requestId; detail = 0 and body = UTF-8 JSON of the answer, or detail = 1 and that of a PlainError. */
export const CONSUMER_ANSWER = 113;
/** Something happened. body = UTF-8 JSON of a ConsumerEvent. */
export const CONSUMER_EVENT = 114;
/** Names a topic. detail = its handle; body = UTF-8 name. */
export const CONSUMER_TOPIC = 115;
/** An error that is raised behind the batches before it. body = UTF-8 JSON of a PlainError. */
export const CONSUMER_RAISE = 116;

const consumerKinds: readonly number[] = [
  CONSUMER_CALL,
  CONSUMER_BATCH,
  CONSUMER_ANSWER,
  CONSUMER_EVENT,
  CONSUMER_TOPIC,
  CONSUMER_RAISE,
];
const kinds: readonly number[] = [
  ...producerKinds,
  ...consumerKinds,
  SEND,
  POLL,
  CONNECT,
  DISCONNECT,
  CONNECT_LANE,
  RESPONSE,
  FAILURE,
  METADATA,
  POLLED,
];

/** 1 at the index of each kind that may be committed; kinds are bytes. */
export const isFrameKind = new Uint8Array(256);
for (const kind of kinds) isFrameKind[kind] = 1;

/** The body is two words about an ArrayBuffer that went through the link's port. Never leaves link.ts. */
export const FLAG_SPILLED = 1;
/** Every flag bit that exists. */
export const KNOWN_FLAGS = FLAG_SPILLED;

/*
 * SEND prefix: words relative to the body           RESPONSE and METADATA prefix
 *
 *   0  apiKey                                         0  apiKey
 *   1  version, or -1: highest in common              1  version
 *   2  timeoutMs, or -1: requestTimeoutMs             2  nothing
 *   3  nothing                                        :
 *   :                                                 8  flat response
 *   8  flat request
 */

/** Bytes before the flat request; what a FlatWriter skips. */
export const SEND_PREFIX_BYTES = 32;
export const SEND_API_KEY_WORD = 0;
export const SEND_VERSION_WORD = 1;
export const SEND_TIMEOUT_WORD = 2;

/** Bytes before the flat response; what a FlatWriter skips. */
export const RESPONSE_PREFIX_BYTES = 32;
export const RESPONSE_API_KEY_WORD = 0;
export const RESPONSE_VERSION_WORD = 1;

/*
 * CONSUMER_BATCH prefix: words relative to the body; offsets are int64, low word first
 *
 *   0  partition          4  first offset        8  high watermark
 *   1  serial             6  next offset        10  last stable offset
 *   2  record count                             12  round of the partition
 *   3  leader epoch                              :
 *                                               16  flat records
 */

/** Bytes before the flat records; what a FlatWriter skips. */
export const BATCH_PREFIX_BYTES = 64;
export const BATCH_PARTITION_WORD = 0;
export const BATCH_SERIAL_WORD = 1;
export const BATCH_COUNT_WORD = 2;
export const BATCH_LEADER_EPOCH_WORD = 3;
export const BATCH_FIRST_OFFSET_WORD = 4;
export const BATCH_NEXT_OFFSET_WORD = 6;
export const BATCH_HIGH_WATERMARK_WORD = 8;
export const BATCH_LAST_STABLE_WORD = 10;
export const BATCH_ROUND_WORD = 12;
