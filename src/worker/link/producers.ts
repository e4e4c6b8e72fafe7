// Owns the producers of the network thread: opens them, attaches further threads to them, and ends them with their threads. Network thread.
// Must not decide anything about records.

import type { MemoryPart } from '../../common/client-memory.ts';
import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { Cancelled, IllegalStateError } from '../../common/errors/errors.ts';
import { checkOpenCount, maxProducersOfThread } from '../../common/open-limits.ts';
import type { NetworkEnd } from '../../ring/attachment.ts';
import type { Compressor } from '../producer/batch-packer.ts';
import type { Attachment } from './attachments.ts';
import {
  LinkedProducer,
  type LinkedProducerParts,
  type ProducerLink,
  type ProducerOpening,
} from './linked-producer.ts';
import { isAnyKeeping, memoryOf, type RoleList, useEach } from './role-guard.ts';
import type { Scopes } from './scopes.ts';

export interface ProducersParts extends LinkedProducerParts {
  /** Which connections an attachment's producers use. */
  readonly scopes: Pick<Scopes, 'hostOf'>;
  readonly roles: RoleList;
}

export class Producers {
  readonly #parts: ProducersParts;
  readonly #all = new Map<number, LinkedProducer>();
  #lastId = 0;

  constructor(parts: ProducersParts) {
    this.#parts = parts;
  }

  /** Makes a producer with one application thread attached. Returns its id. Throws TooManyOpenError when that thread has too many. */
  open(config: ProducerConfig, opening: ProducerOpening, link: ProducerLink, owner: Attachment): number {
    this.#checkOwner(owner);
    const { roles, scopes } = this.#parts;
    this.#lastId++;
    const id = this.#lastId;
    const { host, whenFaulty, release } = scopes.hostOf(owner);
    try {
      const onFault = (error: unknown): void => roles.failed(producer, error);
      const compressor = compressorFor(this.#parts.compressor, onFault);
      const producer = new LinkedProducer(config, opening, host, { ...this.#parts, compressor }, () => {
        this.#all.delete(id);
        for (const role of [producer, producer.push]) if (role !== null) roles.delete(role);
        release();
      });
      whenFaulty(onFault);
      this.#begin(id, producer, link, owner);
    } catch (error) {
      release();
      throw error;
    }
    return id;
  }

  #begin(id: number, producer: LinkedProducer, link: ProducerLink, owner: Attachment): void {
    const { roles } = this.#parts;
    try {
      producer.attach(link, owner);
    } catch (error) {
      producer.role.abandon();
      throw error;
    }
    this.#all.set(id, producer);
    for (const role of [producer, producer.push]) if (role !== null) roles.add(role);
  }

  /** Attaches one more application thread. Throws IllegalStateError when the producer has ended; TooManyOpenError. */
  attach(producerId: number, link: ProducerLink, owner: Attachment): void {
    this.#checkOwner(owner);
    const producer = this.#all.get(producerId);
    if (producer === undefined || producer.isClosing)
      throw new IllegalStateError(`producer ${producerId} is closed, or it belongs to another client`);
    producer.attach(link, owner);
  }

  #checkOwner(owner: Attachment): void {
    if (owner.isClosed) throw new Cancelled('the client was closed');
    let count = 0;
    for (const producer of this.#all.values()) count += producer.countOf(owner);
    const what = 'producers of this client are open in this thread';
    checkOpenCount(count, maxProducersOfThread, what, 'close some; one producer can write to any number of topics');
  }

  /** The links of all of them. */
  get ends(): NetworkEnd[] {
    return [...this.#all.values()].flatMap(({ ends }) => ends);
  }

  /** Batches of all of them. */
  get memory(): MemoryPart {
    return memoryOf(this.#parts.roles, this.#all.values(), ({ memory }) => memory);
  }

  /** What they keep for batches to come. */
  get kept(): MemoryPart {
    return memoryOf(this.#parts.roles, this.#all.values(), ({ kept }) => kept);
  }

  get isKeeping(): boolean {
    return isAnyKeeping(this.#parts.roles, this.#all.values());
  }

  trim(): void {
    useEach(this.#parts.roles, this.#all.values(), (producer) => producer.trim(), undefined);
  }

  /** The client of that thread is closed, or its thread has ended. Its complete records are sent; producers without another thread end. */
  ownerGone(owner: Attachment): void {
    useEach(this.#parts.roles, this.#all.values(), (producer) => producer.ownerGone(owner), undefined);
  }
}

/** The same for one producer: what it throws when it gets its bytes back is its own fault. */
function compressorFor(compressor: Compressor | null, onFault: (error: unknown) => void): Compressor | null {
  if (compressor === null) return null;
  return {
    takes: (byteCount) => compressor.takes(byteCount),
    compress: (compression, bytes, done) =>
      compressor.compress(compression, bytes, (packed, now) => {
        try {
          done(packed, now);
        } catch (error) {
          onFault(error);
        }
      }),
  };
}
