// Owns how TLS settings become the options of Node's secure context. It checks every part by itself, so that a problem names
// the key of its setting. An empty setting is not the same as none: it is refused. Network thread. Must not show a pass phrase,
// a key or the content of a file.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { PemData, SslContext } from '../../common/config/ssl-context.ts';
import { attempt, certificatesIn, revocationListsIn, textOf } from './pem.ts';
import type { FileContents } from './tls-files.ts';

export type TlsConfig = Pick<
  KafkaClientConfig,
  'sslContext' | 'sslCaFile' | 'sslCertFile' | 'sslKeyFile' | 'sslPassword' | 'sslCrlFile' | 'sslCiphers'
>;

/** The source of each part of the settings, under the name that the user knows. Null when Node's default is used. */
export interface TlsSources {
  readonly authorities: string | null;
  readonly certificate: string | null;
  readonly revocation: string | null;
}

export interface TlsSettings {
  readonly options: SslContext;
  readonly sources: TlsSources;
}

/** Makes settings from values. `problems` gets what is wrong with them. */
export function settingsByValue(given: SslContext, problems: string[]): TlsSettings {
  const options: SslContext = { ...given };
  const { ca, cert, crl } = given;
  if (ca !== undefined)
    options.ca = each(ca).flatMap(([name, part]) => certificatesIn(`sslContext.ca${name}`, part, problems));
  if (crl !== undefined)
    options.crl = each(crl).flatMap(([name, part]) => revocationListsIn(`sslContext.crl${name}`, part, problems));
  if (cert !== undefined) {
    options.cert = each(cert).map(([name, part]) =>
      certificatesIn(`sslContext.cert${name}`, part, problems).join('\n'),
    );
    if (given.key === undefined && given.privateKeyIdentifier === undefined)
      problems.push('sslContext.cert is set without sslContext.key: set the key of the certificate too');
  }
  const own = [cert !== undefined && 'sslContext.cert', given.pfx !== undefined && 'sslContext.pfx'].find(Boolean);
  return {
    options,
    sources: {
      authorities: ca === undefined ? null : 'sslContext.ca',
      certificate: own || null,
      revocation: crl === undefined ? null : 'sslContext.crl',
    },
  };
}

/** Makes settings from files. `problems` gets what is wrong with them. */
export function settingsOfFiles(config: TlsConfig, files: FileContents, problems: string[]): TlsSettings {
  const { sslCaFile: ca, sslCrlFile: crl, sslCertFile: cert } = files;
  const options: SslContext = {};
  if (ca !== undefined) options.ca = certificatesIn(`sslCaFile '${config.sslCaFile}'`, ca, problems);
  if (crl !== undefined) {
    const name = `sslCrlFile '${config.sslCrlFile}'`;
    const lists = revocationListsIn(name, crl, problems);
    attempt(name, problems, () => createSecureContext({ crl: lists }));
    options.crl = lists;
  }
  if (cert !== undefined) {
    const certificates = certificatesIn(`sslCertFile '${config.sslCertFile}'`, cert, problems);
    const key = keyOf(config, files, problems);
    const [first] = certificates;
    if (key !== null && first !== undefined && !new X509Certificate(first).checkPrivateKey(key)) {
      problems.push(
        `sslKeyFile '${config.sslKeyFile ?? config.sslCertFile}': not the key of the first certificate in sslCertFile`,
      );
    }
    options.cert = certificates.join('\n');
    // The key is decrypted here, so the pass phrase is not passed on.
    if (key !== null) options.key = key.export({ type: 'pkcs8', format: 'pem' }) as string;
  }
  if (config.sslCiphers !== null) Object.assign(options, ciphersOf(config.sslCiphers, problems));
  const source = (key: 'sslCaFile' | 'sslCertFile' | 'sslCrlFile') =>
    config[key] === null ? null : `${key} '${config[key]}'`;
  return {
    options,
    sources: {
      authorities: source('sslCaFile'),
      certificate: source('sslCertFile'),
      revocation: source('sslCrlFile'),
    },
  };
}

/** Makes a list from one value or a list. Each has the end of its name, for messages. */
function each(given: PemData | readonly PemData[]): readonly (readonly [string, PemData])[] {
  if (typeof given === 'string' || given instanceof Uint8Array) return [['', given]];
  return given.map((part, i) => [`[${i}]`, part] as const);
}

/** OpenSSL has one list for TLS 1.3 and one for older versions. Both are set: a list that is not set would keep ciphers that the user did not name. */
function ciphersOf(ciphers: string, problems: string[]): SslContext {
  const names = ciphers.split(':').filter((name) => name.trim() !== '');
  // Node would use its default list instead of an empty one.
  if (names.length === 0) problems.push('sslCiphers is empty: name ciphers, or leave it out');
  else attempt(`sslCiphers '${ciphers}'`, problems, () => createSecureContext({ ciphers }));
  const isFor13 = (name: string): boolean => name.startsWith('TLS_');
  if (!names.some(isFor13)) return { ciphers, maxVersion: 'TLSv1.2' };
  return names.every(isFor13) ? { ciphers, minVersion: 'TLSv1.3' } : { ciphers };
}

function keyOf(config: TlsConfig, files: FileContents, problems: string[]): KeyObject | null {
  const isApart = config.sslKeyFile !== null;
  const given = isApart ? files.sslKeyFile : files.sslCertFile;
  // The file could not be read. `problems` says so already.
  if (given === undefined) return null;
  const name = isApart ? `sslKeyFile '${config.sslKeyFile}'` : `sslCertFile '${config.sslCertFile}', the key in it`;
  const text = textOf(given);
  const start = text.search(/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/);
  if (start === -1) {
    const advice = isApart ? '' : '; name the file of the key in sslKeyFile';
    problems.push(
      `${name}: ${text.trim() === '' ? 'is empty, it holds' : 'holds'} no private key in PEM format${advice}`,
    );
    return null;
  }
  const passphrase = config.sslPassword?.reveal();
  const isEncrypted = /ENCRYPTED/.test(text);
  if (isEncrypted && passphrase === undefined) {
    problems.push(`${name}: the key is encrypted; set sslPassword`);
    return null;
  }
  const hint = isEncrypted ? ' (is sslPassword wrong?)' : '';
  return attempt(`${name}${hint}`, problems, () => createPrivateKey({ key: text.slice(start), passphrase })) ?? null;
}
