// Owns the parsing of `sslContext`: TLS settings as plain values, because they cross to the network thread. Every thread. Must
// not open files or check certificates: the network thread does, before `start` ends.

import { append } from '../lists.ts';
import { Secret } from '../secret.ts';

/** PEM text, or PEM or DER bytes. */
export type PemData = string | Uint8Array;

/**
 * TLS settings by value: the part of `tls.SecureContextOptions` and `tls.ConnectionOptions` that can cross to another thread.
 * A `tls.SecureContext`, a `KeyObject` and functions belong to the thread that made them, so they are refused. An empty setting is
 * refused too: it looks like a restriction but is none.
 */
export interface SslContext {
  /** Only these authorities are trusted. Default: Node's authorities, or those of `tls.setDefaultCACertificates`. */
  ca?: PemData | readonly PemData[];
  cert?: PemData | readonly PemData[];
  key?: PemData | readonly (PemData | { readonly pem: PemData; readonly passphrase?: string })[];
  pfx?: PemData | readonly (PemData | { readonly buf: PemData; readonly passphrase?: string })[];
  passphrase?: string;
  crl?: PemData | readonly PemData[];
  /** Trust a chain that ends at any certificate of `ca`, even if that one is not self-signed. Only some Node versions have it. */
  allowPartialTrustChain?: boolean;
  ciphers?: string;
  honorCipherOrder?: boolean;
  sigalgs?: string;
  ecdhCurve?: string;
  dhparam?: PemData;
  /** In bits. Smaller Diffie-Hellman keys of a broker are refused. Default 1024. */
  minDHSize?: number;
  /** Default `TLSv1.2`. */
  minVersion?: TlsVersion;
  maxVersion?: TlsVersion;
  /** Bits of `crypto.constants.SSL_OP_...`. */
  secureOptions?: number;
  /** False accepts any certificate. An attacker between client and broker can then read and change everything. */
  rejectUnauthorized?: boolean;
  /** The name of every broker: it is sent to the broker (SNI), and the certificate must be for it. Default: the broker's own name. */
  servername?: string;
  ALPNProtocols?: readonly string[];
  clientCertEngine?: string;
  privateKeyEngine?: string;
  privateKeyIdentifier?: string;
  sessionIdContext?: string;
  /** Seconds. */
  sessionTimeout?: number;
  /** 48 bytes. */
  ticketKeys?: Uint8Array;
  /** For debugging: Node writes each packet to stderr. */
  enableTrace?: boolean;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

const tlsVersions: readonly unknown[] = ['TLSv1.2', 'TLSv1.3'];

/** OpenSSL's options have 32 bits. */
const maxCount = 0xffffffff;

type Kind = 'data' | 'pass phrase' | 'text' | 'texts' | 'version' | 'count' | 'least count' | 'boolean';

const expected: Readonly<Record<keyof SslContext, Kind>> = {
  ca: 'data',
  cert: 'data',
  key: 'data',
  pfx: 'data',
  passphrase: 'pass phrase',
  crl: 'data',
  allowPartialTrustChain: 'boolean',
  ciphers: 'text',
  honorCipherOrder: 'boolean',
  sigalgs: 'text',
  ecdhCurve: 'text',
  dhparam: 'data',
  minDHSize: 'least count',
  minVersion: 'version',
  maxVersion: 'version',
  secureOptions: 'count',
  rejectUnauthorized: 'boolean',
  servername: 'text',
  ALPNProtocols: 'texts',
  clientCertEngine: 'text',
  privateKeyEngine: 'text',
  privateKeyIdentifier: 'text',
  sessionIdContext: 'text',
  sessionTimeout: 'count',
  ticketKeys: 'data',
  enableTrace: 'boolean',
};

/** Settings of Node that are refused although they are values or look like values. */
const refused: Readonly<Record<string, string>> = {
  secureProtocol: 'use minVersion and maxVersion',
  secureContext: 'a tls.SecureContext belongs to the thread that made it: pass the settings that it was made from',
  requestOCSP: 'its answer would not be checked; use crl to check revocation',
};

/** A copy that shares no memory with the caller's object. Null when something is wrong; `problems` says what, without showing values. */
export function parseSslContext(key: string, given: unknown, problems: string[]): Secret<SslContext> | null {
  if (!isPlainObject(given)) {
    problems.push(`${key} must be a plain object of TLS settings, not ${kindOf(given)}: it crosses to another thread`);
    return null;
  }
  const found: string[] = [];
  const entries = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, setting(`${key}.${name}`, name, value, found)] as const);
  const context = Object.fromEntries(entries) as SslContext;
  if (context.minVersion === 'TLSv1.3' && context.maxVersion === 'TLSv1.2') {
    found.push(`${key}.minVersion is newer than ${key}.maxVersion: no version is allowed`);
  }
  append(problems, found);
  return found.length > 0 ? null : new Secret(Object.freeze(context));
}

function setting(path: string, name: string, value: unknown, problems: string[]): unknown {
  if (!Object.hasOwn(expected, name)) {
    const known = `known are ${Object.keys(expected).join(', ')}`;
    if (typeof value === 'function') {
      problems.push(`${path}: a function cannot cross to the network thread; ${known}`);
    } else if (Object.hasOwn(refused, name)) problems.push(`${path} is not accepted: ${refused[name]}`);
    else problems.push(`${path}: no such setting; ${known}`);
    return value;
  }
  switch (expected[name as keyof SslContext]) {
    case 'data':
      return data(path, value, problems);
    case 'pass phrase':
      return text(path, value, problems, true);
    case 'text':
      return text(path, value, problems, false);
    case 'texts':
      if (Array.isArray(value) && value.length > 0)
        return value.map((item, i) => text(`${path}[${i}]`, item, problems, false));
      problems.push(`${path} must be a list of strings, not ${Array.isArray(value) ? 'an empty one' : kindOf(value)}`);
      return value;
    case 'version':
      if (!tlsVersions.includes(value)) problems.push(`${path} must be one of ${tlsVersions.join(', ')}`);
      return value;
    case 'count':
      return count(path, value, problems, 0);
    case 'least count':
      return count(path, value, problems, 1);
    case 'boolean':
      if (typeof value !== 'boolean') problems.push(`${path} must be a boolean, not ${kindOf(value)}`);
      return value;
  }
}

function count(path: string, value: unknown, problems: string[], min: number): unknown {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > maxCount) {
    const seen = typeof value === 'number' ? String(value) : kindOf(value);
    problems.push(`${path} must be an integer from ${min} to ${maxCount}, not ${seen}`);
  }
  return value;
}

function text(path: string, value: unknown, problems: string[], mayBeEmpty: boolean): unknown {
  if (typeof value !== 'string') problems.push(`${path} must be a string, not ${kindOf(value)}`);
  else if (value.trim() === '' && !mayBeEmpty) problems.push(isEmpty(path));
  return value;
}

function isEmpty(path: string): string {
  return `${path} is empty: give it a value, or leave it out`;
}

function data(path: string, value: unknown, problems: string[]): unknown {
  if (typeof value === 'string') return text(path, value, problems, false);
  if (value instanceof Uint8Array || Array.isArray(value)) {
    if (value.length === 0) problems.push(isEmpty(path));
    // This makes a copy: a Buffer may be a part of a pool, and the whole pool would cross with it.
    if (value instanceof Uint8Array) return Uint8Array.from(value);
    return value.map((item, i) => data(`${path}[${i}]`, item, problems));
  }
  if (isPlainObject(value) && ('pem' in value || 'buf' in value)) {
    const field = (name: string, part: unknown): unknown =>
      name === 'passphrase' ? text(`${path}.${name}`, part, problems, true) : data(`${path}.${name}`, part, problems);
    const given = Object.entries(value).filter(([, part]) => part !== undefined);
    return Object.fromEntries(given.map(([name, part]) => [name, field(name, part)]));
  }
  problems.push(`${path} must be a string, a Buffer or a list of them, not ${kindOf(value)}`);
  return value;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Names the kind of the value. The value itself may be secret and must not be shown. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return `a value of type ${typeof value}`;
  return Array.isArray(value) ? 'a list' : `an object of class ${value.constructor?.name ?? 'unknown'}`;
}

/** Whether connections are encrypted. */
export function usesTls({ securityProtocol }: { readonly securityProtocol: string }): boolean {
  return securityProtocol === 'SSL' || securityProtocol === 'SASL_SSL';
}

/** Checks keys about TLS that depend on each other. */
export function checkSsl(config: Record<string, unknown>, problems: string[]): void {
  if (config.sslContext instanceof Secret) return;
  if (typeof config.sslCiphers === 'string' && /^[\s:]*$/.test(config.sslCiphers))
    problems.push('sslCiphers is empty: name ciphers, or leave it out');
  if (typeof config.sslKeyFile === 'string' && config.sslCertFile === null) {
    problems.push('sslKeyFile is set without sslCertFile: set the certificate of the key too');
  }
}
