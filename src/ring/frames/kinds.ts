// Owns the numbers of all kinds of frames. Runs on every thread. Must not know what a frame of a kind holds: the file of its link does.

/** Fills the end of the ring before a frame that has to start at offset 0. Never leaves ring-buffer.ts. */
export const PAD = 0;

// Of an attachment, application thread to network thread: client-frames.ts.
export const SEND = 1;
export const POLL = 2;
export const CONNECT = 3;
export const DISCONNECT = 4;
export const CONNECT_LANE = 5;

// Of an attachment, network thread to application thread: client-frames.ts.
export const RESPONSE = 16;
export const SENT = 17;
export const FAILURE = 18;
export const METADATA = 19;
export const POLLED = 20;

// Of a producer, application thread to network thread: record-frames.ts, producer-call-frames.ts.
export const RECORD = 64;
export const TOPIC = 65;
export const FLUSH = 66;
export const GROUP_END = 67;
export const TRANSACTION_BEGIN = 68;
export const TRANSACTION_OFFSETS = 69;
export const TRANSACTION_END = 70;
export const PRODUCER_CLOSE = 71;

// Of a producer, network thread to application thread: record-frames.ts, producer-call-frames.ts.
export const DELIVERED = 80;
export const GROUP_DONE = 81;
export const FLUSHED = 82;
export const TRANSACTION_DONE = 83;
export const PRODUCER_FATAL = 84;
export const PRODUCER_CLOSED = 85;

// Of a consumer, application thread to network thread: consumer-frames.ts.
export const CONSUMER_CALL = 96;

// Of a consumer, network thread to application thread: consumer-frames.ts.
export const CONSUMER_BATCH = 112;
export const CONSUMER_ANSWER = 113;
export const CONSUMER_REFUSAL = 114;
export const CONSUMER_EVENT = 115;
export const CONSUMER_TOPIC = 116;
export const CONSUMER_RAISE = 117;

const kinds: readonly number[] = [
  ...[SEND, POLL, CONNECT, DISCONNECT, CONNECT_LANE],
  ...[RESPONSE, SENT, FAILURE, METADATA, POLLED],
  ...[RECORD, TOPIC, FLUSH, GROUP_END, TRANSACTION_BEGIN, TRANSACTION_OFFSETS, TRANSACTION_END, PRODUCER_CLOSE],
  ...[DELIVERED, GROUP_DONE, FLUSHED, TRANSACTION_DONE, PRODUCER_FATAL, PRODUCER_CLOSED],
  ...[CONSUMER_CALL],
  ...[CONSUMER_BATCH, CONSUMER_ANSWER, CONSUMER_REFUSAL, CONSUMER_EVENT, CONSUMER_TOPIC, CONSUMER_RAISE],
];

/** 1 at the index of each kind that may be committed; kinds are bytes. */
export const isFrameKind = new Uint8Array(256);
for (const kind of kinds) isFrameKind[kind] = 1;
