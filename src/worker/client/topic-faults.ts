// Owns the topics for which metadata has an error. Each is reported once, until there is metadata of it again. Network thread. Must not
// decide whether a topic is requested again.

import { errorFor } from '../../common/errors/errors.ts';
import type { MetadataResponseView } from '../../protocol/flat/generated/metadata.ts';
import type { TrackedTopics } from './tracked-topics.ts';

export class TopicFaults {
  /** Topics in error, and whether that was told; no more than are tracked. */
  #known = new Map<string, boolean>();

  /**
   * What a complete answer says of the topics that somebody asked for. An error that may pass is told when the next answer
   * has it too: a topic that was just created is unknown to some brokers for a moment.
   */
  note(response: MetadataResponseView, tracked: TrackedTopics, tell: (topic: string, error: Error) => void): void {
    const before = this.#known;
    const now = new Map<string, boolean>();
    for (const { errorCode, name } of response.topics) {
      if (errorCode === 0 || name === null || !tracked.has(name)) continue;
      const error = errorFor(errorCode)!;
      const isTold = before.get(name) === true;
      const isToBeTold = !isTold && (!error.retriable || before.has(name));
      if (isToBeTold) tell(name, error);
      now.set(name, isTold || isToBeTold);
    }
    this.#known = now;
  }
}
