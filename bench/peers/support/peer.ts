// Owns the one interface behind which every client is measured. Any thread. Types only.

export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Compression = (typeof compressions)[number];

/** TLS with this CA, and SCRAM-SHA-256. */
export interface Security {
  readonly sslCaFile: string;
  readonly username: string;
  readonly password: string;
}

export interface Place {
  /** The folder with the peers' node_modules. */
  readonly folder: string;
  readonly bootstrapServer: string;
  readonly topic: string;
  readonly partitions: number;
  readonly security: Security | null;
}

/** Told of errors that a client reports beside its answers, such as failed requests that it repeats. */
export type OnError = (error: unknown) => void;

export interface WriteSettings {
  readonly valueBytes: number;
  readonly acks: -1 | 1;
  readonly compression: Compression;
}

export interface Writer {
  /** What was configured. */
  readonly settings: string;
  /** The client takes whole chunks of so many records. */
  readonly chunk: number;
  /** Gives one chunk to the client. Resolves when it takes more, which may be before the records are acknowledged. */
  give(): Promise<void>;
  /** Resolves when all given records are acknowledged. Rejects when one of them failed. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface ReadSettings {
  readonly groupId: string;
  /** Bytes of a Fetch, for readers that make their requests themselves. Null: the client's default. */
  readonly maxBytes: number | null;
  /** Records of each partition. Readers without a group begin again at 0 there. */
  readonly endOffset: number;
}

/**
 * Told after records were read. Every record is fully read: offset, timestamp, bytes of key and value.
 * @param lastOffset of these records, which are of one partition, in order
 * @param sum  over the read bytes, so that the engine cannot leave out the reads
 */
export type OnRead = (partition: number, lastOffset: number, records: number, valueBytes: number, sum: number) => void;

export interface Reader {
  readonly settings: string;
  close(): Promise<void>;
}

export interface RequestSettings {
  /** How many requests are under way at once, at most. */
  readonly atOnce: number;
}

/** Small requests: Metadata of one topic. */
export interface Requester {
  readonly settings: string;
  request(): Promise<unknown>;
  /** The same, blocking the thread. Only clients that can. */
  readonly requestSync?: () => void;
  close(): Promise<void>;
}

/** What a client can do; what it has not, it is not measured in. */
export interface Peer {
  readonly version: string;
  /** What it compresses with, beside `none`. */
  readonly compressions: readonly Compression[];
  /** Its reader begins again where the topic ends. */
  readonly readsAgain?: true;
  write?(place: Place, settings: WriteSettings, onError: OnError): Promise<Writer>;
  read?(place: Place, settings: ReadSettings, onRead: OnRead, onError: OnError): Promise<Reader>;
  request?(place: Place, settings: RequestSettings): Promise<Requester>;
}

/** Different values, like those of applications. They can be compressed about as well as text. */
export function valuesOf(bytes: number): Buffer[] {
  return Array.from({ length: 256 }, (_, i) => {
    const value = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; at++) value[at] = 32 + ((at * 31 + i * 17 + ((at * i) >> 3)) % 90);
    return value;
  });
}

/** The sum over what is read of one record. */
export function sumOf(
  offset: number,
  timestamp: number,
  key: Uint8Array | null | undefined,
  value: Uint8Array,
): number {
  let sum = offset + timestamp + value[0]! + value[value.length - 1]!;
  if (key !== null && key !== undefined && key.length > 0) sum += key[0]!;
  return sum;
}
