// Owns the entry of a thread of the producer's proof: attaches to the producer, and writes numbers of its own. Worker thread.

import { parentPort, workerData } from 'node:worker_threads';
import { Producer, type ProducerHandle } from '../../src/index.ts';
import { type Note, type WriterTask, writeNumbers } from './producer-writer.ts';
import { randomOf } from './random.ts';

export type ThreadTask = Omit<WriterTask, 'inTransactions'> & { readonly seed: number };

/** Lines for the ledger, or, at the end, how often the thread was blocked. */
export type ThreadMessage =
  | { readonly notes: readonly Parameters<Note>[] }
  | { readonly notes?: undefined; readonly blocks: number };

const notesPerMessage = 500;

const { handle, task } = workerData as { handle: ProducerHandle; task: ThreadTask };
const tell = (message: ThreadMessage): void => parentPort!.postMessage(message);
let notes: Parameters<Note>[] = [];
const flushNotes = (): void => {
  tell({ notes });
  notes = [];
};
const producer = await Producer.attach(handle);
const blocks = await writeNumbers(producer, { ...task, inTransactions: false }, randomOf(task.seed), (...fields) => {
  notes.push(fields);
  if (notes.length >= notesPerMessage) flushNotes();
});
flushNotes();
tell({ blocks });
await producer.close();
