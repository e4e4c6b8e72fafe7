// Owns the signal that a message holds more compressed bytes than its thread may spend its turn on: the same call is to
// be made in the codec pool. Runs in the network thread.

/** Thrown by encoders and decoders when `maxInlineBytes` forbids the work; never an error of the message. */
export class CodecTaskNeeded extends Error {
  override readonly name = 'CodecTaskNeeded';
}

/** One for all: it is thrown for every big message, and where from is of no interest. */
export const codecTaskNeeded = new CodecTaskNeeded('the codec pool has to do this');
