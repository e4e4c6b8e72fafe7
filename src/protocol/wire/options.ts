// Owns what callers may choose when messages are encoded and decoded. Types only; used in the network thread and in the
// codec pool. Must not hold defaults that configuration owns.

export interface DecodeOptions {
  /** Check the CRC of record batches. */
  readonly verifyCrc: boolean;
  /**
   * `rows`: records are decompressed and parsed into rows. `raw`: only their bytes are kept, as they came. `lent`: not even these are
   * copied; the message says where they are in the frame, and whoever decodes sets `FlatMessage.lent`.
   */
  readonly records: 'rows' | 'raw' | 'lent';
  /** Bytes that all compressed batches of one records field may grow to. */
  readonly maxDecompressedBytes: number;
  /** Bytes the flat form of one message may take, decompressed records included; default and at most about 2 GiB. */
  readonly maxFlatBytes?: number;
  /** Throw CodecTaskNeeded instead of decompressing in a frame larger than this; default: no such limit. */
  readonly maxInlineBytes?: number;
  /** Throw CodecTaskNeeded instead of reading any records in a frame larger than this; default: no such limit. */
  readonly maxInlinePlainBytes?: number;
}

export interface EncodeOptions {
  /** Throw CodecTaskNeeded instead of compressing more record bytes than this; default: no such limit. */
  readonly maxInlineBytes?: number;
}
