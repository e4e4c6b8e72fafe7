// Owns the sum of what the network thread and its links hold outside of the heap of V8, and of what they may hold. Network thread.
// It only reads. Each limit is enforced where the memory is taken.

import { type ClientMemory, type MemoryPart, type MemoryPartName, sumOfParts } from '../common/client-memory.ts';
import type { KafkaClientConfig } from '../common/config/config.ts';
import type { NetworkEnd } from '../ring/attachment.ts';
import { maxSpareBytes } from '../ring/spare-memory.ts';
import { maxKeptRequestBytes, type RequestMemory } from './client/request-memory.ts';
import type { Attachments } from './link/attachments.ts';
import { maxAsideBudgets } from './link/held-frame.ts';
import { movedBytesFrom, movedBytesTo } from './link/moved-bytes.ts';
import { maxKeptFrameBytes } from './net/frame-memory.ts';
import { maxChunkBytes } from './net/receive-buffer.ts';
import type { Selector } from './net/selector.ts';
import { budgetBytes } from './requests/codec-account.ts';
import type { CodecPool } from './requests/codec-pool.ts';
import { decodeOptions } from './requests/decode-options.ts';
import type { LazyConsumers, LazyProducers } from './role-code.ts';

export interface MemoryReportParts {
  readonly config: KafkaClientConfig;
  readonly attachments: Attachments;
  readonly producers: LazyProducers;
  readonly consumers: LazyConsumers;
  readonly selector: Selector;
  readonly pool: CodecPool;
  readonly requestMemory: RequestMemory;
}

export function memoryReport(parts: MemoryReportParts): ClientMemory {
  const { config, attachments, producers, consumers, selector, pool, requestMemory } = parts;
  const { frames, sends } = selector;
  const largestBody = decodeOptions(config).maxFlatBytes ?? config.decompressedMaxBytes;
  const clients = attachments.all.map(({ end }) => end);
  const ends = [...clients, ...producers.ends, ...consumers.ends];
  const accounts = attachments.all.map(({ responses }) => responses.account);
  const byName: Record<MemoryPartName, MemoryPart> = {
    rings: fixed(sum(ends, ringBytesOf)),
    moved: {
      usedBytes: sum(ends, ({ requests, responses }) => {
        const maxBytes = maxMovedBytes(responses, largestBody);
        return Math.min(movedBytesFrom(requests, maxBytes) + movedBytesTo(responses), maxBytes);
      }),
      maxBytes: sum(ends, ({ responses }) => maxMovedBytes(responses, largestBody)),
    },
    receive: {
      usedBytes: sum([...selector.channels], ({ received }) => received.chunkBytes) + frames.usedBytes,
      maxBytes:
        selector.channels.size * maxChunkBytes + Math.max(config.receiveBudgetBytes, config.receiveMessageMaxBytes),
    },
    send: { usedBytes: sends.usedBytes, maxBytes: sends.maxBytes },
    codecPool: {
      usedBytes: pool.bytesInTasks + sum(accounts, ({ heldBytes }) => heldBytes),
      maxBytes: budgetBytes + sum(accounts, ({ maxBytes }) => budgetBytes + Math.max(maxBytes, largestBody)),
    },
    aside: {
      usedBytes: sum(attachments.all, ({ responses }) => responses.keptBytes),
      maxBytes: attachments.all.length * (maxAsideBudgets * config.spillBudgetBytes + config.receiveMessageMaxBytes),
    },
    kept: sumOfParts([
      { usedBytes: frames.keptBytes, maxBytes: maxKeptFrameBytes },
      { usedBytes: sum(ends, ({ responses }) => responses.keptBytes), maxBytes: 2 * ends.length * maxSpareBytes },
      { usedBytes: requestMemory.keptBytes, maxBytes: maxKeptRequestBytes },
      producers.kept,
      consumers.kept,
    ]),
    producers: producers.memory,
    consumers: consumers.memory,
  };
  return { ...sumOfParts(Object.values(byName)), parts: byName };
}

const fixed = (bytes: number): MemoryPart => ({ usedBytes: bytes, maxBytes: bytes });

/** In both directions. A body that is larger than the whole budget travels alone. */
function maxMovedBytes({ spillBudgetBytes }: NetworkEnd['responses'], largestBody: number): number {
  return spillBudgetBytes + Math.max(spillBudgetBytes, largestBody);
}

const ringBytesOf = ({ requests, responses }: NetworkEnd): number => requests.ringBytes + responses.ringBytes;

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}
