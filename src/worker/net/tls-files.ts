// Owns the files that TLS settings come from: reads them, and tells whether one has changed. Network thread. It reads at
// once: in the thread pool of the process a read would wait behind whatever the application does there. Must not judge what
// the files hold.

import { readFileSync, statSync } from 'node:fs';
import type { KafkaClientConfig } from '../../common/config/config.ts';

const fileKeys = ['sslCaFile', 'sslCertFile', 'sslKeyFile', 'sslCrlFile'] as const;
export type FileKey = (typeof fileKeys)[number];
/** What was read, for each key that is configured; an empty file has no bytes, and is there all the same. */
export type FileContents = { readonly [K in FileKey]?: Uint8Array };

const maxFileBytes = 16 * 1024 * 1024;

export class TlsFiles {
  readonly #paths: readonly (readonly [FileKey, string])[];

  constructor(config: Pick<KafkaClientConfig, FileKey>) {
    this.#paths = fileKeys.flatMap((key) => (config[key] === null ? [] : [[key, config[key]] as const]));
  }

  /** Another text when a file has changed. Asked before reading, so that a change in between is noticed the next time. */
  fingerprint(): string {
    return this.#paths.map(([, path]) => fingerprintOf(path)).join('\n');
  }

  /** What cannot be read is left out, with a problem in `problems`. */
  read(problems: string[]): FileContents {
    const contents: { [K in FileKey]?: Uint8Array } = {};
    for (const [key, path] of this.#paths) {
      try {
        contents[key] = readSmall(path);
      } catch (error) {
        problems.push(`${key} '${path}': ${(error as Error).message}`);
      }
    }
    return contents;
  }
}

function fingerprintOf(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${ino}/${size}/${mtimeMs}/${ctimeMs}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function readSmall(path: string): Uint8Array {
  // Before it is opened: a pipe would be waited for.
  const status = statSync(path);
  if (!status.isFile()) throw new Error('is no regular file');
  if (status.size > maxFileBytes) throw new Error(`has ${status.size} bytes, ${maxFileBytes} are the limit`);
  return readFileSync(path);
}
