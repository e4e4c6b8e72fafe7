// Owns the opening of the input that a path names, so that reading it can be ended at any time. Main thread.
//
// A read of a pipe or of a terminal as a file would wait in a thread of Node's pool until something comes, and would keep the process alive after
// Ctrl-C. As a socket it waits in the event loop.

import { constants, createReadStream, fstatSync, openSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';

const chunkBytes = 1024 * 1024;
/** Opening a named pipe does not wait for a writer. Reading it does. Windows has no such flag and no such pipes. */
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Fails with: the error of the operating system if the file cannot be opened. */
export function openInput(path: string): Readable {
  const fd = openSync(path, openFlags);
  const stats: Stats = fstatSync(fd);
  if (isatty(fd)) return new ReadStream(fd);
  if (stats.isFIFO()) return new Socket({ fd, readable: true, writable: false });
  return createReadStream(path, { fd, highWaterMark: chunkBytes });
}
