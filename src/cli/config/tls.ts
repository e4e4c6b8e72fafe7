// Owns the TLS settings of Java properties: key stores, trust stores, versions and ciphers, as our `sslContext` has them. Main
// thread of the command line. No error may show a password or a key.

import { readFileSync } from 'node:fs';
import { UsageError } from '../exit-codes.ts';

type Get = (key: string) => string | undefined;
type PfxData = readonly { readonly buf: Uint8Array; readonly passphrase?: string }[];

/** The parts of `sslContext` that are set. */
export interface TlsSettings {
  ca?: string | Uint8Array;
  cert?: string | Uint8Array;
  key?: string | Uint8Array;
  passphrase?: string;
  pfx?: PfxData;
  ciphers?: string;
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** Settings that name a Java class, which only a JVM can load. */
export const javaOnlyTlsKeys = ['ssl.engine.factory.class', 'security.providers', 'ssl.provider'] as const;

/** Throws UsageError for a store that cannot be read or whose type is not supported. */
export function tlsSettings(get: Get): TlsSettings {
  const settings: TlsSettings = {};
  addTrustStore(settings, get);
  addKeyStore(settings, get);
  addVersions(settings, get);
  const suites = get('ssl.cipher.suites');
  if (suites !== undefined) {
    const names = namesIn('ssl.cipher.suites', suites).map(openSslName);
    settings.ciphers = names.join(':');
  }
  return settings;
}

function addTrustStore(settings: TlsSettings, get: Get): void {
  const inline = get('ssl.truststore.certificates');
  if (inline !== undefined) {
    settings.ca = pem(inline);
    return;
  }
  const location = get('ssl.truststore.location');
  if (location === undefined) return;
  const bytes = readStore('ssl.truststore.location', location);
  if (storeType(bytes) !== 'PEM') {
    throw new UsageError(
      `ssl.truststore.location: ${location} is a ${storeType(bytes)} store, which only Java can read as a trust store. Make a PEM file of it:\n  keytool -list -rfc -keystore ${location} > truststore.pem`,
    );
  }
  settings.ca = bytes;
}

function addKeyStore(settings: TlsSettings, get: Get): void {
  const [chain, key] = [get('ssl.keystore.certificate.chain'), get('ssl.keystore.key')];
  const keyPassword = get('ssl.key.password');
  const location = get('ssl.keystore.location');
  if (chain !== undefined || key !== undefined) {
    if (chain === undefined || key === undefined)
      throw new UsageError('ssl.keystore.key and ssl.keystore.certificate.chain must be set together');
    settings.cert = pem(chain);
    settings.key = pem(key);
  } else if (location !== undefined) {
    const bytes = readStore('ssl.keystore.location', location);
    const type = storeType(bytes);
    if (type === 'JKS') {
      throw new UsageError(
        `ssl.keystore.location: ${location} is a JKS store, which only Java can read. Convert it:\n  keytool -importkeystore -srckeystore ${location} -destkeystore keystore.p12 -deststoretype PKCS12`,
      );
    }
    if (type === 'PKCS12') {
      const passphrase = get('ssl.keystore.password') ?? keyPassword;
      settings.pfx = [{ buf: bytes, ...(passphrase !== undefined && { passphrase }) }];
      return;
    }
    settings.cert = bytes;
    settings.key = bytes;
  } else return;
  if (keyPassword !== undefined) settings.passphrase = keyPassword;
}

function readStore(key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${key}: ${(error as Error).message}`);
  }
}

/** The type by the first bytes of the store. Java does not need the right type either. */
function storeType(bytes: Buffer): 'PEM' | 'JKS' | 'PKCS12' {
  if (bytes.length >= 4 && bytes.readUInt32BE(0) === 0xfeedfeed) return 'JKS';
  return bytes[0] === 0x30 ? 'PKCS12' : 'PEM';
}

/** Java allows a PEM text in one line, with blanks in place of line breaks. */
function pem(text: string): string {
  return text.replace(/-----BEGIN ([A-Z ]+)-----([\s\S]*?)-----END \1-----/g, (_, kind: string, body: string) => {
    const lines = body.trim().split(/\s+/).join('\n');
    return `-----BEGIN ${kind}-----\n${lines}\n-----END ${kind}-----\n`;
  });
}

function addVersions(settings: TlsSettings, get: Get): void {
  const key = get('ssl.enabled.protocols') === undefined ? 'ssl.protocol' : 'ssl.enabled.protocols';
  const enabled = get(key);
  if (enabled === undefined) return;
  const names = namesIn(key, enabled);
  const known = names.filter((name) => name === 'TLSv1.2' || name === 'TLSv1.3') as ('TLSv1.2' | 'TLSv1.3')[];
  if (known.length === 0) {
    if (names.every((name) => name === 'TLS')) return;
    throw new UsageError(`ssl.enabled.protocols: only TLSv1.2 and TLSv1.3 are supported, not ${names.join(', ')}`);
  }
  settings.minVersion = known.includes('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3';
  settings.maxVersion = known.includes('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2';
}

/** Throws UsageError for an empty list, because it looks like a restriction and restricts nothing. */
function namesIn(key: string, list: string): string[] {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new UsageError(`${key} is empty: give it a value, or remove it`);
  return names;
}

/** Java uses the names of the registry (RFC 8447). OpenSSL has its own names for TLS 1.2. */
export function openSslName(name: string): string {
  if (!name.includes('_WITH_')) return name;
  const [exchange, cipher] = name.replace(/^TLS_/, '').split('_WITH_') as [string, string];
  const dashed = cipher
    .replace(/^(AES|CAMELLIA|ARIA)_(\d+)_/, '$1$2_')
    .replace(/_CBC/, '')
    .replace(/^CHACHA20_POLY1305_SHA256$/, 'CHACHA20_POLY1305')
    .replaceAll('_', '-');
  const prefix = exchange === 'RSA' ? '' : `${exchange.replaceAll('_', '-')}-`;
  return `${prefix}${dashed}`;
}
