// Owns the signal that a message holds more bytes than its thread may work on in one turn: the caller repeats the call in
// the codec pool. Runs in the network thread.

/** Thrown by encoders and decoders when `maxInlineBytes` or `maxInlinePlainBytes` forbids the work; never an error of the message. */
export class CodecTaskNeeded extends Error {
  override readonly name = 'CodecTaskNeeded';
}

/** One object for all throws: every big message throws it, and its stack is of no interest. */
export const codecTaskNeeded = new CodecTaskNeeded('the codec pool has to do this');
