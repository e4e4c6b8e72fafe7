// Owns the reading of PEM: certificates, revocation lists and keys, from text or bytes. It works on bytes, so a byte order mark
// does no harm. Network thread. Must not show what it reads.

import { X509Certificate } from 'node:crypto';
import type { PemData } from '../../common/config/ssl-context.ts';

type Label = 'CERTIFICATE' | 'X509 CRL';

/** The labels that OpenSSL accepts for each, as a regular expression. */
const labels: Readonly<Record<Label, string>> = {
  CERTIFICATE: '(?:TRUSTED |X509 )?CERTIFICATE',
  'X509 CRL': 'X509 CRL',
};
const names: Readonly<Record<Label, string>> = { CERTIFICATE: 'certificate', 'X509 CRL': 'revocation list' };

/** The first byte of every certificate, revocation list and key in DER format. */
const derSequence = 0x30;

/** Every certificate, one PEM text each. If one of them cannot be read, the list is empty and `problems` says why. */
export function certificatesIn(name: string, given: PemData, problems: string[]): string[] {
  const before = problems.length;
  const found = blocksIn(name, given, 'CERTIFICATE', problems);
  for (const [i, block] of found.entries()) {
    attempt(`${name}, certificate ${i + 1}`, problems, () => new X509Certificate(block));
  }
  return problems.length > before ? [] : found;
}

/** Every revocation list, one PEM text each: OpenSSL reads only the first one of a text. */
export function revocationListsIn(name: string, given: PemData, problems: string[]): string[] {
  return blocksIn(name, given, 'X509 CRL', problems);
}

/** One character for each byte. PEM is ASCII; other bytes are kept as they are. */
export function textOf(given: PemData): string {
  return typeof given === 'string' ? given : Buffer.from(given).toString('latin1');
}

function blocksIn(name: string, given: PemData, label: Label, problems: string[]): string[] {
  const text = textOf(given);
  const whole = new RegExp(`-----BEGIN ${labels[label]}-----[\\s\\S]*?-----END ${labels[label]}-----`, 'g');
  const blocks = text.match(whole) ?? [];
  const begun = text.match(new RegExp(`-----BEGIN ${labels[label]}-----`, 'g'))?.length ?? 0;
  if (begun > blocks.length) problems.push(`${name}: ends in the middle of a ${names[label]}`);
  else if (blocks.length === 0 && typeof given !== 'string' && given[0] === derSequence) return [pemOf(label, given)];
  else if (blocks.length === 0) problems.push(`${name}: ${why(text)} no ${names[label]} in PEM format`);
  return blocks;
}

function why(text: string): string {
  if (text.trim() === '') return 'is empty, it holds';
  return /^(\xff\xfe|\xfe\xff)/.test(text) ? 'is written in UTF-16, so that OpenSSL finds' : 'holds';
}

function pemOf(label: Label, der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----`;
}

/** Returns what `make` returns. If it throws, returns undefined, and `problems` gets OpenSSL's message. */
export function attempt<T>(name: string, problems: string[], make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    const { code, reason, message } = error as Error & { code?: string; reason?: string };
    problems.push(`${name}: ${reason ?? message}${code === undefined ? '' : ` (${code})`}`);
    return undefined;
  }
}
