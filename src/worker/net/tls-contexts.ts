// Owns the TLS settings of all connections: reports everything that is wrong with them, and reads them again when a file has
// changed. Network thread. Must not show a pass phrase, a key or the content of a file.

import { constants } from 'node:crypto';
import { createSecureContext, DEFAULT_MAX_VERSION, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { SslContext } from '../../common/config/ssl-context.ts';
import { KafkaConfigurationError, KafkaConnectionError } from '../../common/errors/errors.ts';
import { attempt } from './pem.ts';
import { TlsFiles } from './tls-files.ts';
import { settingsByValue, settingsOfFiles, type TlsConfig, type TlsSettings, type TlsSources } from './tls-settings.ts';

/** The settings that several connections share. */
export interface TlsContext {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
  readonly sources: TlsSources;
  readonly minVersion: string;
  readonly maxVersion: string;
  /** Settings that Node takes per connection, not in the secure context. */
  readonly perConnection: Pick<SslContext, 'servername' | 'ALPNProtocols' | 'minDHSize' | 'enableTrace'>;
}

const minVersion = 'TLSv1.2';

export class TlsContexts {
  readonly #config: TlsConfig;
  /** Null when no settings come from files. */
  readonly #files: TlsFiles | null;
  #context: TlsContext | null = null;
  #fingerprint: string | null = null;

  constructor(config: TlsConfig) {
    this.#config = config;
    this.#files = config.sslContext === null ? new TlsFiles(config) : null;
  }

  /** Throws KafkaConfigurationError with everything that is wrong. */
  prepare(): void {
    this.#load(this.#fingerprintNow());
  }

  /** The context for a connection that begins now. Reads the files again if one has changed. Throws KafkaConnectionError that names what is wrong. */
  current(): TlsContext {
    const fingerprint = this.#fingerprintNow();
    if (this.#context !== null && fingerprint === this.#fingerprint) return this.#context;
    try {
      return this.#load(fingerprint);
    } catch (cause) {
      const what = this.#context === null ? 'the TLS settings' : 'the TLS files have changed and';
      const text = `${what} cannot be used: ${(cause as Error).message}`;
      throw new KafkaConnectionError(text, { cause });
    }
  }

  #load(fingerprint: string): TlsContext {
    const problems: string[] = [];
    const name = this.#files === null ? 'sslContext' : 'TLS settings';
    const context = contextOf(name, this.#settings(problems), problems);
    if (context === null) throw new KafkaConfigurationError(problems);
    this.#context = context;
    this.#fingerprint = fingerprint;
    return context;
  }

  #settings(problems: string[]): TlsSettings {
    if (this.#files === null) return settingsByValue(this.#config.sslContext!.reveal(), problems);
    return settingsOfFiles(this.#config, this.#files.read(problems), problems);
  }

  #fingerprintNow(): string {
    return this.#files?.fingerprint() ?? '';
  }
}

/** Null when something is wrong; `problems` then says what. */
function contextOf(name: string, { options, sources }: TlsSettings, problems: string[]): TlsContext | null {
  if (problems.length > 0) return null;
  const { servername, ALPNProtocols, minDHSize, enableTrace, ...shared } = options;
  const perConnection = { servername, ALPNProtocols, minDHSize, enableTrace };
  const range = { minVersion, maxVersion: DEFAULT_MAX_VERSION, ...versionsOf(options) } as const;
  // `>>> 0` makes the number unsigned. OpenSSL would read a negative number as if every higher bit were set.
  const secureOptions = ((options.secureOptions ?? 0) | constants.SSL_OP_NO_RENEGOTIATION) >>> 0;
  const all = { ...shared, ...range, secureOptions } as SecureContextOptions;
  const secureContext = attempt(name, problems, () => createSecureContext(all));
  if (secureContext === undefined) return null;
  return {
    secureContext,
    rejectUnauthorized: options.rejectUnauthorized ?? true,
    sources,
    ...range,
    perConnection: Object.fromEntries(Object.entries(perConnection).filter(([, value]) => value !== undefined)),
  };
}

function versionsOf({ minVersion, maxVersion }: SslContext) {
  return { ...(minVersion !== undefined && { minVersion }), ...(maxVersion !== undefined && { maxVersion }) };
}
