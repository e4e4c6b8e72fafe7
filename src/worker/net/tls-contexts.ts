// Owns the TLS settings of all connections: reads the files, says everything that is wrong with them, and makes them anew
// when a file has changed. Network thread. Must not show a pass phrase, a key or what a file holds.

import { constants, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { createSecureContext, DEFAULT_MAX_VERSION, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { SslContext } from '../../common/config/ssl-context.ts';
import { KafkaConfigurationError, KafkaConnectionError } from '../../common/errors/errors.ts';

export type TlsConfig = Pick<
  KafkaClientConfig,
  'sslContext' | 'sslCaFile' | 'sslCertFile' | 'sslKeyFile' | 'sslPassword' | 'sslCrlFile' | 'sslCiphers'
>;

/** What connections opened at one time share. */
export interface TlsContext {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
  readonly hasClientCertificate: boolean;
  readonly minVersion: string;
  readonly maxVersion: string;
}

const fileKeys = ['sslCaFile', 'sslCertFile', 'sslKeyFile', 'sslCrlFile'] as const;
type FileKey = (typeof fileKeys)[number];
type Texts = { readonly [K in FileKey]?: string };

const maxFileBytes = 16 * 1024 * 1024;
const minVersion = 'TLSv1.2';
const crlBlock = /-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----/g;
const certificateBlock = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g;

export class TlsContexts {
  readonly #config: TlsConfig;
  /** Null where files play no part. */
  readonly #paths: readonly (readonly [FileKey, string])[];
  #context: TlsContext | null = null;
  #fingerprint: string | null = null;

  constructor(config: TlsConfig) {
    this.#config = config;
    this.#paths = config.sslContext === null ? fileKeys.flatMap((key) => pathOf(key, config[key])) : [];
  }

  /** Throws KafkaConfigurationError with everything that is wrong. */
  async prepare(): Promise<void> {
    await this.#load(await this.#fingerprintNow());
  }

  /** For a connection that begins now: made anew if a file has changed. Fails with KafkaConnectionError naming what is wrong. */
  async current(): Promise<TlsContext> {
    const fingerprint = await this.#fingerprintNow();
    if (this.#context !== null && fingerprint === this.#fingerprint) return this.#context;
    try {
      return await this.#load(fingerprint);
    } catch (cause) {
      const what = this.#context === null ? 'the TLS settings' : 'the TLS files have changed and';
      const text = `${what} cannot be used: ${(cause as Error).message}`;
      throw new KafkaConnectionError(text, { cause });
    }
  }

  async #load(fingerprint: string): Promise<TlsContext> {
    const problems: string[] = [];
    const texts: Partial<Record<FileKey, string>> = {};
    for (const [key, path] of this.#paths) texts[key] = await read(key, path, problems);
    const context = makeContext(this.#config, texts, problems);
    if (context === null) throw new KafkaConfigurationError(problems);
    this.#context = context;
    this.#fingerprint = fingerprint;
    return context;
  }

  /** Asked before reading, so that a change in between is noticed at the next connection. */
  async #fingerprintNow(): Promise<string> {
    const parts = this.#paths.map(async ([, path]) => {
      try {
        const { ino, size, mtimeMs, ctimeMs } = await stat(path);
        return `${ino}/${size}/${mtimeMs}/${ctimeMs}`;
      } catch (error) {
        return (error as Error).message;
      }
    });
    return (await Promise.all(parts)).join('\n');
  }
}

function pathOf(key: FileKey, path: string | null): [FileKey, string][] {
  return path === null ? [] : [[key, path]];
}

/** The file's text; with a problem in `problems` an empty one. */
async function read(key: FileKey, path: string, problems: string[]): Promise<string> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const status = await file.stat();
    if (!status.isFile()) throw new Error('is no regular file');
    if (status.size > maxFileBytes) throw new Error(`has ${status.size} bytes, ${maxFileBytes} are the limit`);
    return await file.readFile('latin1');
  } catch (error) {
    problems.push(`${key} '${path}': ${(error as Error).message}`);
    return '';
  } finally {
    await file?.close();
  }
}

/** Null with `problems`. */
function makeContext(config: TlsConfig, texts: Texts, problems: string[]): TlsContext | null {
  const given = config.sslContext?.reveal();
  const options = given === undefined ? optionsOf(config, texts, problems) : given;
  if (problems.length > 0) return null;
  const range = { minVersion, maxVersion: DEFAULT_MAX_VERSION, ...versionsOf(options) } as const;
  const secureOptions = (options.secureOptions ?? 0) | constants.SSL_OP_NO_RENEGOTIATION;
  const all = { ...options, ...range, secureOptions } as SecureContextOptions;
  const secureContext = attempt(given === undefined ? 'TLS settings' : 'sslContext', problems, () =>
    createSecureContext(all),
  );
  if (secureContext === undefined) return null;
  return {
    secureContext,
    rejectUnauthorized: options.rejectUnauthorized ?? true,
    hasClientCertificate: options.cert !== undefined || options.pfx !== undefined,
    ...range,
  };
}

function versionsOf({ minVersion, maxVersion }: SslContext) {
  return { ...(minVersion !== undefined && { minVersion }), ...(maxVersion !== undefined && { maxVersion }) };
}

/** Each part tried by itself, so that what is wrong is named by its key. */
function optionsOf(config: TlsConfig, texts: Texts, problems: string[]): SslContext {
  const { sslCaFile: ca, sslCrlFile: crl, sslCertFile: cert } = texts;
  const passphrase = config.sslPassword?.reveal();
  const options: SslContext = {};
  if (ca) {
    checkCertificates(`sslCaFile '${config.sslCaFile}'`, ca, problems);
    options.ca = ca;
  }
  if (crl) {
    // OpenSSL takes one list of each text.
    const lists = crl.match(crlBlock) ?? [];
    const name = `sslCrlFile '${config.sslCrlFile}'`;
    if (lists.length === 0) problems.push(`${name}: holds no revocation list in PEM format`);
    attempt(name, problems, () => createSecureContext({ crl: lists }));
    options.crl = lists;
  }
  if (cert) {
    const certificates = checkCertificates(`sslCertFile '${config.sslCertFile}'`, cert, problems);
    const key = keyOf(config, texts, passphrase, problems);
    if (key !== null && certificates[0]?.checkPrivateKey(key) === false) {
      problems.push(
        `sslKeyFile '${config.sslKeyFile ?? config.sslCertFile}': not the key of the first certificate in sslCertFile`,
      );
    }
    options.cert = cert;
    // Already decrypted, so the pass phrase goes no further.
    if (key !== null) options.key = key.export({ type: 'pkcs8', format: 'pem' }) as string;
  }
  if (config.sslCiphers !== null) {
    const ciphers = config.sslCiphers;
    attempt(`sslCiphers '${ciphers}'`, problems, () => createSecureContext({ ciphers }));
    Object.assign(options, { ciphers }, versionsWith(ciphers));
  }
  return options;
}

/** OpenSSL keeps two lists and leaves that of the other version as it is: then ciphers that are not listed would be used. */
function versionsWith(ciphers: string): SslContext {
  const names = ciphers.split(':').filter((name) => name !== '');
  const isFor13 = (name: string): boolean => name.startsWith('TLS_');
  if (!names.some(isFor13)) return { maxVersion: 'TLSv1.2' };
  return names.every(isFor13) ? { minVersion: 'TLSv1.3' } : {};
}

function checkCertificates(name: string, pem: string, problems: string[]): X509Certificate[] {
  const blocks = pem.match(certificateBlock) ?? [];
  if (blocks.length === 0) problems.push(`${name}: holds no certificate in PEM format`);
  return blocks.flatMap(
    (block, i) => attempt(`${name}, certificate ${i + 1}`, problems, () => new X509Certificate(block)) ?? [],
  );
}

function keyOf(config: TlsConfig, texts: Texts, passphrase: string | undefined, problems: string[]): KeyObject | null {
  const isApart = config.sslKeyFile !== null;
  const text = isApart ? texts.sslKeyFile : texts.sslCertFile;
  if (!text) return null;
  const name = isApart ? `sslKeyFile '${config.sslKeyFile}'` : `sslCertFile '${config.sslCertFile}', the key in it`;
  if (!text.includes('PRIVATE KEY-----')) {
    const advice = isApart ? '' : '; name the file of the key in sslKeyFile';
    problems.push(`${name}: holds no private key in PEM format${advice}`);
    return null;
  }
  const isEncrypted = /ENCRYPTED/.test(text);
  if (isEncrypted && passphrase === undefined) {
    problems.push(`${name}: the key is encrypted; set sslPassword`);
    return null;
  }
  const hint = isEncrypted ? ' (is sslPassword wrong?)' : '';
  return attempt(`${name}${hint}`, problems, () => createPrivateKey({ key: text, passphrase })) ?? null;
}

function attempt<T>(name: string, problems: string[], make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    const { code, reason, message } = error as Error & { code?: string; reason?: string };
    problems.push(`${name}: ${reason ?? message}${code === undefined ? '' : ` (${code})`}`);
    return undefined;
  }
}
