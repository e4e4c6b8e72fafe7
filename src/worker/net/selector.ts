// Owns the set of channels, and which of them have something to do. Sockets mark their channels between rounds. `poll` makes
// lists from these marks, and the network client walks the lists. Network thread. Must not know Kafka: frames are bytes here.
//
//   const selector = new Selector(openTransport, wake)
//   selector.connect(nodeId, target, limit)
//   selector.poll(now)        // then walk selector.connected, .receivable, .ended
//
// Every poll replaces the lists. Callers must not change them.

import { Channel, type ChannelListener, ChannelState } from './channel.ts';
import { FrameMemory } from './frame-memory.ts';
import { SendMemory } from './send-memory.ts';
import type { OpenTransport, TransportTarget } from './transport.ts';

export class Selector implements ChannelListener {
  /** Channels whose transport was opened. */
  connected: readonly Channel[] = [];
  /** Channels that may hold complete frames. */
  receivable: readonly Channel[] = [];
  /** Channels whose transport has ended. */
  ended: readonly Channel[] = [];
  /** How many requests the last poll wrote to sockets. */
  completedSends = 0;

  readonly #openTransport: OpenTransport;
  readonly #wake: () => void;
  readonly frames: FrameMemory;
  readonly sends: SendMemory;
  readonly #channels = new Set<Channel>();
  readonly #muted = new Set<Channel>();
  #marked: Channel[] = [];

  /**
   * @param wake   asks for a round of the poll loop; it is called at most once per channel and round
   * @param frames memory of big frames; default: without a limit
   * @param maxSendBytes limit of the bytes of requests that sockets have not taken; default: none
   */
  constructor(
    openTransport: OpenTransport,
    wake: () => void,
    frames = new FrameMemory(),
    maxSendBytes = Number.POSITIVE_INFINITY,
  ) {
    this.frames = frames;
    this.sends = new SendMemory(maxSendBytes, this.#channels);
    this.#openTransport = openTransport;
    this.#wake = wake;
  }

  get channels(): ReadonlySet<Channel> {
    return this.#channels;
  }

  get muted(): ReadonlySet<Channel> {
    return this.#muted;
  }

  connect(nodeId: number, target: TransportTarget, receiveMessageMaxBytes: number): Channel {
    const channel = new Channel({
      nodeId,
      target,
      receiveMessageMaxBytes,
      frames: this.frames,
      openTransport: this.#openTransport,
      listener: this,
    });
    this.#channels.add(channel);
    return channel;
  }

  onMarked(channel: Channel): void {
    channel.isMarked = true;
    this.#marked.push(channel);
    this.#wake();
  }

  /** Writes what is queued, and sorts the marked channels into the lists. Returns how many channels had something. */
  poll(now: number): number {
    const marked = this.#marked;
    this.#marked = [];
    const connected: Channel[] = [];
    const receivable: Channel[] = [];
    const ended: Channel[] = [];
    let sends = 0;
    for (const channel of marked) {
      channel.isMarked = false;
      if (channel.state === ChannelState.CLOSED) continue;
      if (channel.hasConnected) {
        channel.hasConnected = false;
        connected.push(channel);
      }
      sends += channel.flush(now);
      receivable.push(channel);
      if (channel.hasEnded) ended.push(channel);
    }
    this.connected = connected;
    this.receivable = receivable;
    this.ended = ended;
    this.completedSends = sends;
    return marked.length;
  }

  /** Stops taking frames from a channel, because there is no room for its responses. */
  mute(channel: Channel, now: number): void {
    channel.mute(now);
    this.#muted.add(channel);
  }

  /** Takes frames from the channel again, beginning with the next poll. Returns how long it was muted, in ms. */
  unmute(channel: Channel, now: number): number {
    this.#muted.delete(channel);
    if (!channel.isMarked) this.onMarked(channel);
    return channel.unmute(now);
  }

  close(channel: Channel): void {
    this.#channels.delete(channel);
    this.#muted.delete(channel);
    channel.close();
  }
}
