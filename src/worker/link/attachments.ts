// Owns the attachments of the network thread: one entry for each attached application thread. Network thread.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { isBootstrapId, sharedScope } from '../../common/node-ids.ts';
import { checkAttachmentCount } from '../../common/open-limits.ts';
import { thrownError } from '../../common/thrown.ts';
import { type NetworkEnd, type NetworkHandle, openNetworkEnd } from '../../ring/attachment.ts';
import type { MetadataUpdate } from '../client/metadata.ts';
import type { Metrics } from '../report/metrics-recorder.ts';
import type { CodecPool } from '../requests/codec-pool.ts';
import type { ResponseHost } from '../requests/request-owner.ts';
import type { BlockedThreads } from './blocked-threads.ts';
import { ResponseProxy } from './response-proxy.ts';

/** What one attachment's response proxy must know of the others, and whom it tells when its link is broken. */
export interface ProxyHost {
  /** Whether other attachments use the connection to this node, too. */
  isShared(nodeId: number): boolean;
  /** The link cannot be written. Throws if the network thread cannot go on without it. */
  onBroken(error: unknown): void;
}

export interface Attachment {
  /** True for the thread that started the client. The network thread ends with it. */
  readonly isOwner: boolean;
  readonly end: NetworkEnd;
  readonly responses: ResponseProxy;
  /** Whose connections it uses: those of all threads, or its own. */
  scope: number;
  /** Polls to answer when all sockets have been read once more. */
  fences: { readonly pollId: number; readonly turn: number }[];
  isClosed: boolean;
  /** Node's number of the thread; 0 for the main thread. */
  threadId: number;
}

export class Attachments {
  readonly #config: KafkaClientConfig;
  readonly #pool: CodecPool;
  readonly #host: ResponseHost;
  readonly #metrics: Metrics;
  readonly #blocked: BlockedThreads;
  #all: Attachment[] = [];
  /** Attachments whose shared memory holds an impossible value, or that cannot be served for another reason. The next round removes them. */
  #broken: { readonly attachment: Attachment; readonly error: Error }[] = [];
  /** Called once for each of them. Null: only the link of a producer or consumer is broken; that link has ended. */
  onBroken: (attachment: Attachment | null, error: Error) => void = () => {};
  #hasRecovered = false;
  /** Sent to every attachment that comes later. */
  #newest: MetadataUpdate | null = null;

  constructor(
    config: KafkaClientConfig,
    pool: CodecPool,
    host: ResponseHost,
    metrics: Metrics,
    blocked: BlockedThreads,
  ) {
    this.#config = config;
    this.#pool = pool;
    this.#host = host;
    this.#metrics = metrics;
    this.#blocked = blocked;
  }

  /**
   * Throws TooManyOpenError when there are too many.
   * @param threadId Node's number of the thread; 0 for the main thread
   */
  add(handle: NetworkHandle, threadId = 0): Attachment {
    checkAttachmentCount(this.#all.length);
    const end = openNetworkEnd(handle);
    const isOwner = this.#all.length === 0;
    const responses = new ResponseProxy(end, this.#config, this.#pool, this.#host, this.#metrics, {
      isShared: (nodeId) => {
        return this.#all.length > 1 && (attachment.scope === sharedScope || isBootstrapId(nodeId));
      },
      onBroken: (error) => this.broken(attachment, error),
    });
    const fresh = { scope: sharedScope, fences: [], isClosed: false, threadId };
    const attachment: Attachment = { isOwner, end, responses, ...fresh };
    if (this.#newest !== null) attachment.responses.onMetadata(this.#newest);
    this.#all.push(attachment);
    this.#blocked.add(attachment, end.responses, () => attachment.isClosed);
    // A connection that is muted for the first attachment would delay the second one.
    this.#hasRecovered ||= this.#all.length === 2;
    return attachment;
  }

  /** The attachment's thread has ended or has closed its client. Its late responses are discarded. */
  remove(attachment: Attachment): void {
    if (attachment.isClosed) return;
    attachment.isClosed = true;
    this.#all = this.#all.filter((other) => other !== attachment);
    attachment.responses.close();
    attachment.fences = [];
    attachment.end.close();
    this.#hasRecovered = true;
  }

  /**
   * The attachment's shared memory holds an impossible value, or its link cannot be served for another reason. It is not read or written any
   * more. Throws the error if it is the owner's: the network thread cannot go on without that.
   */
  broken(attachment: Attachment, error: unknown): void {
    if (attachment.isOwner) throw error;
    attachment.responses.close();
    if (this.#broken.some((other) => other.attachment === attachment)) return;
    this.#broken.push({ attachment, error: thrownError(error) });
  }

  /** The same for the link of a producer or consumer, which has ended. A broken link of the owner does not end the network thread. */
  readonly linkBroken = (owner: Attachment | null, error: Error): void => {
    if (owner === null || owner.isOwner) this.onBroken(null, error);
    else if (!owner.isClosed) this.broken(owner, error);
  };

  get isKeeping(): boolean {
    return this.#all.some(({ end }) => end.responses.isKeeping);
  }

  /** Of the bodies that went to applications. */
  trim(): void {
    for (const { end } of this.#all) end.responses.trim();
  }

  get all(): readonly Attachment[] {
    return this.#all;
  }

  onMetadata(update: MetadataUpdate): void {
    this.#newest = update;
    for (const { responses } of this.#all) responses.onMetadata(update);
  }

  /** Whether an application has posted something, or has made room that is waited for. */
  hasWork(): boolean {
    if (this.#broken.length > 0) return true;
    for (const attachment of this.#all) if (this.#isWorkIn(attachment)) return true;
    return false;
  }

  #isWorkIn(attachment: Attachment): boolean {
    const { end, responses } = attachment;
    try {
      if (!responses.isOverQuota && !end.requests.isEmpty()) return true;
      if (responses.isBehind && end.responses.isEmpty()) return true;
      return responses.account.isWaiting && responses.account.canGoOn(end.responses.spilledBytesOutstanding);
    } catch (error) {
      this.broken(attachment, error);
      return true;
    }
  }

  /** Delivers what waited for room. Returns true when an attachment that was behind has caught up. */
  flush(now: number): boolean {
    let hasRecovered = this.#hasRecovered;
    this.#hasRecovered = false;
    const broken = this.#broken;
    this.#broken = [];
    for (const { attachment, error } of broken) this.onBroken(attachment, error);
    for (const attachment of this.#all) {
      const { responses } = attachment;
      if (responses.account.isWaiting) this.#noteUnread(attachment);
      if (responses.isBehind && responses.flush(now)) hasRecovered = true;
      if (responses.takeUnblocked()) hasRecovered = true;
    }
    return hasRecovered;
  }

  /** Lets the codec pool decode waiting frames when the application has read more. */
  #noteUnread(attachment: Attachment): void {
    try {
      this.#pool.noteUnread(attachment.responses.account, attachment.end.responses.spilledBytesOutstanding);
    } catch (error) {
      this.broken(attachment, error);
    }
  }

  /** Whether polls wait for an answer. */
  get hasPolls(): boolean {
    for (const { fences } of this.#all) if (fences.length > 0) return true;
    return false;
  }

  /** Answers the polls posted before this turn: all sockets have been read since. Returns how many still wait. */
  answerPolls(turn: number): number {
    let waiting = 0;
    for (const attachment of this.#all) {
      const { fences, responses } = attachment;
      if (fences.length === 0) continue;
      for (const fence of fences) if (fence.turn < turn) responses.onPolled(fence.pollId);
      attachment.fences = fences.filter((fence) => fence.turn >= turn);
      waiting += attachment.fences.length;
    }
    return waiting;
  }

  notify(): void {
    for (const { end, responses } of this.#all) {
      responses.notify();
      end.responses.setWaiting(responses.isBehind || responses.account.isWaiting);
    }
  }
}
