// Owns where the fields are that are read of an entry in a log before it is decoded. An entry is a batch (v2), or a message or a set of
// compressed messages (v0, v1). Network thread and codec pool. Source: record formats of the protocol guide.

/** Of all formats. The size counts what is behind it. */
export const ENTRY_SIZE_AT = 8;
export const ENTRY_HEAD_BYTES = 12;
export const MAGIC_AT = 16;

/** The attributes of messages, a byte. */
export const MESSAGE_ATTRIBUTES_AT = 17;

/** Of batches. The attributes are an int16; this is their low byte. */
export const BATCH_LEADER_EPOCH_AT = 12;
export const BATCH_ATTRIBUTES_AT = 22;
export const BATCH_COUNT_AT = 57;
