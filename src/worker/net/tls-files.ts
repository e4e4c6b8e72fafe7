// Owns the files of the TLS settings: reads them, and tells whether one has changed. Network thread. It reads synchronously: in
// the thread pool of the process, a read would wait behind the application's own work. Must not check the content of the files.

import { readFileSync, statSync } from 'node:fs';
import type { KafkaClientConfig } from '../../common/config/config.ts';

const fileKeys = ['sslCaFile', 'sslCertFile', 'sslKeyFile', 'sslCrlFile'] as const;
export type FileKey = (typeof fileKeys)[number];
/** The content of the file of each configured key. An empty file is there, with no bytes. */
export type FileContents = { readonly [K in FileKey]?: Uint8Array };

const maxFileBytes = 16 * 1024 * 1024;

export class TlsFiles {
  readonly #paths: readonly (readonly [FileKey, string])[];

  constructor(config: Pick<KafkaClientConfig, FileKey>) {
    this.#paths = fileKeys.flatMap((key) => (config[key] === null ? [] : [[key, config[key]] as const]));
  }

  /** A text that is different when a file has changed. Take it before you read the files: then a change in between is noticed next time. */
  fingerprint(): string {
    return this.#paths.map(([, path]) => fingerprintOf(path)).join('\n');
  }

  /** Reads the files. A file that cannot be read is left out, and `problems` says why. */
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
  // This is checked before the file is opened, because opening a pipe would block.
  const status = statSync(path);
  if (!status.isFile()) throw new Error('is not a regular file');
  if (status.size > maxFileBytes) throw new Error(`has ${status.size} bytes; the limit is ${maxFileBytes}`);
  return readFileSync(path);
}
