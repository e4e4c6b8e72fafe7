// Owns what `sslContext` may hold: TLS settings as plain values, since they cross to the network thread. Every thread. Must
// not open files or judge certificates: the network thread does, before `start` ends.

import { Secret } from '../secret.ts';

/** PEM text, or PEM or DER bytes. */
export type PemData = string | Uint8Array;

/**
 * TLS settings by value: the part of `tls.SecureContextOptions` that another thread can be given. A `tls.SecureContext`,
 * a `KeyObject` and functions belong to the thread that made them, and are refused.
 */
export interface SslContext {
  /** Only these authorities are trusted; default: those that Node brings along. */
  ca?: PemData | readonly PemData[];
  cert?: PemData | readonly PemData[];
  key?: PemData | readonly (PemData | { readonly pem: PemData; readonly passphrase?: string })[];
  pfx?: PemData | readonly (PemData | { readonly buf: PemData; readonly passphrase?: string })[];
  passphrase?: string;
  crl?: PemData | readonly PemData[];
  ciphers?: string;
  sigalgs?: string;
  ecdhCurve?: string;
  /** Default `TLSv1.2`. */
  minVersion?: TlsVersion;
  maxVersion?: TlsVersion;
  /** Bits of `crypto.constants.SSL_OP_...`. */
  secureOptions?: number;
  /** False accepts any certificate: whoever stands in between then reads and changes everything. */
  rejectUnauthorized?: boolean;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

const tlsVersions: readonly unknown[] = ['TLSv1.2', 'TLSv1.3'];

const expected = {
  ca: 'data',
  cert: 'data',
  key: 'data',
  pfx: 'data',
  passphrase: 'string',
  crl: 'data',
  ciphers: 'string',
  sigalgs: 'string',
  ecdhCurve: 'string',
  minVersion: 'version',
  maxVersion: 'version',
  secureOptions: 'number',
  rejectUnauthorized: 'boolean',
} as const satisfies Record<keyof SslContext, string>;

/** A copy that shares no memory with the caller's; null with problems in `problems`, none of which shows a value. */
export function parseSslContext(key: string, given: unknown, problems: string[]): Secret<SslContext> | null {
  if (!isPlainObject(given)) {
    problems.push(`${key} must be a plain object of TLS settings, not ${kindOf(given)}: it crosses to another thread`);
    return null;
  }
  const found: string[] = [];
  const entries = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, setting(`${key}.${name}`, name, value, found)] as const);
  problems.push(...found);
  return found.length > 0 ? null : new Secret(Object.freeze(Object.fromEntries(entries)) as SslContext);
}

function setting(path: string, name: string, value: unknown, problems: string[]): unknown {
  if (!Object.hasOwn(expected, name)) {
    const reason = typeof value === 'function' ? 'a function cannot cross to the network thread' : 'no such setting';
    problems.push(`${path}: ${reason}; known are ${Object.keys(expected).join(', ')}`);
    return value;
  }
  const kind = expected[name as keyof SslContext];
  if (kind === 'data') return data(path, value, problems);
  if (kind === 'version') {
    if (!tlsVersions.includes(value)) problems.push(`${path} must be one of ${tlsVersions.join(', ')}`);
  } else if (typeof value !== kind) {
    problems.push(`${path} must be a ${kind}, not ${kindOf(value)}`);
  }
  return value;
}

function data(path: string, value: unknown, problems: string[]): unknown {
  if (typeof value === 'string') return value;
  // A copy: a Buffer may lie in a pool, all of which would cross with it.
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map((item, i) => data(`${path}[${i}]`, item, problems));
  if (isPlainObject(value) && ('pem' in value || 'buf' in value)) {
    const fields = Object.entries(value).map(([name, field]) => [name, data(`${path}.${name}`, field, problems)]);
    return Object.fromEntries(fields);
  }
  problems.push(`${path} must be a string, a Buffer or a list of them, not ${kindOf(value)}`);
  return value;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Never the value itself, which may be secret. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return `a value of type ${typeof value}`;
  return Array.isArray(value) ? 'a list' : `an object of class ${value.constructor?.name ?? 'unknown'}`;
}

/** What keys about TLS say together. */
export function checkSsl(config: Record<string, unknown>, problems: string[]): void {
  if (config.sslContext instanceof Secret) return;
  if (typeof config.sslKeyFile === 'string' && config.sslCertFile === null) {
    problems.push('sslKeyFile is set without sslCertFile: a key is of no use without its certificate');
  }
}
