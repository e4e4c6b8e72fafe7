// Owns the look-up of an API's encoder and decoder and the guard around them: version range, memory limit, one error
// type. Runs in the network thread and the codec pool. Must not know any message.

import { IllegalStateError, KafkaProtocolError, UnsupportedVersionError } from '../../common/errors/errors.ts';
import type { FlatMessage } from '../flat/flat-view.ts';
import { FlatLimitError, type FlatWriter } from '../flat/flat-writer.ts';
import { importWireModule, loadWireModule, wireApis, wireData } from './generated/index.ts';
import type { DecodeOptions, EncodeOptions } from './options.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

export type { DecodeOptions, EncodeOptions } from './options.ts';

/** Flat memory for one message when the caller sets no limit: a frame of the default 100 MB with room to spare. */
const defaultMaxFlatBytes = 2 ** 30;

/** Bodies of one API at every version, between flat and wire. */
export interface WireCodec {
  readonly apiKey: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** Writes the body at the writer's position. Throws: InvalidRequestError, UnsupportedVersionError. */
  encodeRequest(m: FlatMessage, w: WireWriter, version: number, options?: EncodeOptions): void;
  /** Reads the body at the reader's position into `w`, which has been reset; bytes may be left over.
   *  Throws: KafkaProtocolError, UnsupportedVersionError. */
  decodeResponse(r: WireReader, w: FlatWriter, version: number, options: DecodeOptions): void;
  decodeRequest(r: WireReader, w: FlatWriter, version: number, options: DecodeOptions): void;
  encodeResponse(m: FlatMessage, w: WireWriter, version: number, options?: EncodeOptions): void;
  requestHeaderVersion(version: number): number;
  responseHeaderVersion(version: number): number;
}

type Encode = (m: FlatMessage, w: WireWriter, version: number, options: EncodeOptions) => void;
type Decode = (r: WireReader, w: FlatWriter, version: number, options: DecodeOptions) => void;

/** What a generated module exports. */
export interface WireModule {
  readonly encodeRequest: Encode;
  readonly decodeRequest: Decode;
  readonly encodeResponse: Encode;
  readonly decodeResponse: Decode;
}

/** One row of the generated list. */
export interface WireApi {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** First flexible version, -1 for none. */
  readonly flexibleVersion: number;
  /** Where a flat response has its throttle time, an int32 in ms; -1 when it has none. */
  readonly throttleWord: number;
  readonly file: string;
}

/** One row of the generated list of data that travels inside other messages. */
export interface WireData {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly file: string;
}

/** Data inside other messages or in control records, without the version in front of it. */
export interface DataCodec {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** Throws: InvalidRequestError. */
  encode(m: FlatMessage, w: WireWriter, version: number): void;
  /** Throws: KafkaProtocolError. */
  decode(r: WireReader, w: FlatWriter, version: number): void;
}

const noOptions: EncodeOptions = {};
const controlledShutdownKey = 7;
const apiVersionsKey = 18;

function isWithin(version: number, range: { readonly minVersion: number; readonly maxVersion: number }): boolean {
  return Number.isInteger(version) && version >= range.minVersion && version <= range.maxVersion;
}

class LoadedCodec implements WireCodec {
  readonly apiKey: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly #flexibleVersion: number;
  readonly #file: string;
  #module: WireModule | null = null;

  constructor(api: WireApi) {
    this.apiKey = api.key;
    this.name = api.name;
    this.minVersion = api.minVersion;
    this.maxVersion = api.maxVersion;
    this.#flexibleVersion = api.flexibleVersion;
    this.#file = api.file;
  }

  /** Whether messages can be encoded and decoded now. Otherwise `load` must be awaited first. */
  get isLoaded(): boolean {
    this.#module ??= loadWireModule(this.#file) as WireModule | null;
    return this.#module !== null;
  }

  load(): Promise<void> {
    return importWireModule(this.#file);
  }

  encodeRequest(m: FlatMessage, w: WireWriter, version: number, options: EncodeOptions = noOptions): void {
    this.#encode(this.#loaded.encodeRequest, m, w, version, options);
  }

  encodeResponse(m: FlatMessage, w: WireWriter, version: number, options: EncodeOptions = noOptions): void {
    this.#encode(this.#loaded.encodeResponse, m, w, version, options);
  }

  decodeRequest(r: WireReader, w: FlatWriter, version: number, options: DecodeOptions): void {
    this.#decode(this.#loaded.decodeRequest, r, w, version, options);
  }

  decodeResponse(r: WireReader, w: FlatWriter, version: number, options: DecodeOptions): void {
    this.#decode(this.#loaded.decodeResponse, r, w, version, options);
  }

  requestHeaderVersion(version: number): number {
    if (this.#isFlexible(version)) return 2;
    return this.apiKey === controlledShutdownKey && version === 0 ? 0 : 1;
  }

  /** ApiVersions answers keep header 0, so that a client can read them whatever version the broker chose. */
  responseHeaderVersion(version: number): number {
    return this.#isFlexible(version) && this.apiKey !== apiVersionsKey ? 1 : 0;
  }

  get #loaded(): WireModule {
    if (this.#module !== null || this.isLoaded) return this.#module!;
    throw new IllegalStateError(`the code of ${this.name} is not loaded yet`);
  }

  #isFlexible(version: number): boolean {
    return this.#flexibleVersion >= 0 && version >= this.#flexibleVersion;
  }

  #encode(encode: Encode, m: FlatMessage, w: WireWriter, version: number, options: EncodeOptions): void {
    this.#checkVersion(version);
    w.describe(this.name, this.apiKey, version);
    encode(m, w, version, options);
  }

  #decode(decode: Decode, r: WireReader, w: FlatWriter, version: number, options: DecodeOptions): void {
    this.#checkVersion(version);
    r.describe(this.name, this.apiKey, version);
    decodeGuarded(decode, r, w, version, options);
  }

  #checkVersion(version: number): void {
    if (isWithin(version, this)) return;
    throw new UnsupportedVersionError(
      `${this.name} version ${version}: this client speaks ${this.minVersion} to ${this.maxVersion}`,
      { apiKey: this.apiKey },
    );
  }
}

/** Decodes within `maxFlatBytes`; whatever goes wrong becomes a KafkaProtocolError. */
export function decodeGuarded(
  decode: Decode,
  r: WireReader,
  w: FlatWriter,
  version: number,
  options: DecodeOptions,
): void {
  w.limitTo(options.maxFlatBytes ?? defaultMaxFlatBytes);
  w.expectedBytes = w.messageBytes + r.remaining + (r.remaining >> 1);
  try {
    decode(r, w, version, options);
  } catch (error) {
    if (error instanceof KafkaProtocolError) throw error;
    if (error instanceof FlatLimitError) throw r.fail(error.message, error);
    if (error instanceof RangeError) throw r.fail(`memory cannot hold it: ${error.message}`, error);
    throw error;
  }
}

const codecs = new Map<number, LoadedCodec>();

/** The codec of one API. Its code is loaded at first use, see `isCodecLoaded`. Throws: UnsupportedVersionError for a key that no table has. */
export function wireCodec(apiKey: number): WireCodec {
  return knownCodec(apiKey);
}

/** Whether the codec of an API can be used now; `loadCodec` loads it. True for a key that no table has, which `wireCodec` refuses. */
export function isCodecLoaded(apiKey: number): boolean {
  return !wireApis.has(apiKey) || knownCodec(apiKey).isLoaded;
}

/** Loads the code of an API's codec. In the package, the network thread has only that of the APIs that it uses itself. */
export async function loadCodec(apiKey: number): Promise<void> {
  if (!isCodecLoaded(apiKey)) await knownCodec(apiKey).load();
}

function knownCodec(apiKey: number): LoadedCodec {
  const known = codecs.get(apiKey);
  if (known !== undefined) return known;
  const api = wireApis.get(apiKey);
  if (api === undefined) throw new UnsupportedVersionError(`unknown API key ${apiKey}`, { apiKey });
  const codec = new LoadedCodec(api);
  codecs.set(apiKey, codec);
  return codec;
}

const dataDecodeOptions: DecodeOptions = { verifyCrc: true, records: 'raw', maxDecompressedBytes: 0 };

/** The codec of one kind of data, such as `ConsumerProtocolAssignment`. Throws: UnsupportedVersionError. */
export function dataCodec(name: string): DataCodec {
  const data = wireData.get(name);
  if (data === undefined) throw new UnsupportedVersionError(`unknown data ${name}`);
  const { encode, decode } = loadWireModule(data.file) as { encode: Encode; decode: Decode };
  const checkVersion = (version: number): void => {
    if (isWithin(version, data)) return;
    const range = `${data.minVersion} to ${data.maxVersion}`;
    throw new UnsupportedVersionError(`${name} version ${version}: this client knows ${range}`);
  };
  return {
    name,
    minVersion: data.minVersion,
    maxVersion: data.maxVersion,
    encode(m, w, version) {
      checkVersion(version);
      w.describe(name, -1, version);
      encode(m, w, version, noOptions);
    },
    decode(r, w, version) {
      checkVersion(version);
      r.describe(name, -1, version);
      decodeGuarded(decode, r, w, version, dataDecodeOptions);
    },
  };
}
