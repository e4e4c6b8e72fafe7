// Owns the encoding of a whole request frame: size, header, body. Network thread and pool threads.

import type { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { wireCodec } from '../../protocol/wire/codecs.ts';
import { encodeRequestHeader } from '../../protocol/wire/header.ts';
import type { EncodeOptions } from '../../protocol/wire/options.ts';
import type { WireWriter } from '../../protocol/wire/wire-writer.ts';

/** The fields of a request's header. */
export interface FrameHeader {
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string;
}
