// Owns the check of the options that a SASL mechanism and a security protocol need. Every thread. Must not load the packages of a
// mechanism: the network thread does.

import { Secret } from '../secret.ts';
import { usesTls } from './ssl-context.ts';

export const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'GSSAPI'] as const;

/** Whether connections must log in. */
export function usesSasl({ securityProtocol }: { readonly securityProtocol: string }): boolean {
  return securityProtocol.startsWith('SASL_');
}

/** Keys with these prefixes are read by some security protocols only. */
const protocolsOf = [
  { prefix: 'ssl', protocols: 'SSL or SASL_SSL', matches: usesTls, without: 'without encryption' },
  { prefix: 'sasl', protocols: 'SASL_SSL or SASL_PLAINTEXT', matches: usesSasl, without: 'without a login' },
] as const;

/**
 * Refuses keys about TLS or logins if the security protocol does not read them: the user may have forgotten the protocol, and
 * connections would not be secure. Keys with their default values are allowed.
 */
export function checkSecurityProtocol(
  config: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, { readonly default: unknown }>>,
  problems: string[],
): void {
  const { securityProtocol } = config;
  if (typeof securityProtocol !== 'string' || !isSecurityProtocol(securityProtocol)) return;
  for (const { prefix, protocols, matches, without } of protocolsOf) {
    if (matches({ securityProtocol })) continue;
    const isIdle = (key: string): boolean =>
      new RegExp(`^${prefix}[A-Z]`).test(key) &&
      config[key] !== defaults[key]?.default &&
      // `problems` already has the problem of this value.
      !problems.some((problem) => problem.startsWith(key));
    const idle = Object.keys(config).filter(isIdle);
    if (idle.length === 0) continue;
    problems.push(
      `${idle.join(', ')} ${idle.length === 1 ? 'is' : 'are'} set, but securityProtocol is ${securityProtocol}: connections would be made ${without}; set securityProtocol to ${protocols}, or leave ${idle.length === 1 ? 'it' : 'them'} out`,
    );
  }
}

function isSecurityProtocol(text: string): text is (typeof securityProtocols)[number] {
  return (securityProtocols as readonly string[]).includes(text);
}

/** Adds missing and contradicting options to `problems`. Does nothing without a SASL security protocol. */
export function checkSasl(config: Readonly<Record<string, unknown>>, problems: string[]): void {
  const { securityProtocol, saslMechanism: mechanism, apiVersion } = config;
  if (typeof securityProtocol !== 'string' || !usesSasl({ securityProtocol })) return;
  if (mechanism === null) {
    problems.push(
      `saslMechanism must be given with securityProtocol ${securityProtocol}: one of ${saslMechanisms.join(', ')}`,
    );
  }
  const isScram = mechanism === 'SCRAM-SHA-256' || mechanism === 'SCRAM-SHA-512';
  if (mechanism === 'PLAIN' || isScram) checkUser(config, mechanism, problems);
  if (mechanism === 'OAUTHBEARER' && config.saslOauthTokenProvider === null) {
    problems.push('saslOauthTokenProvider must be given with saslMechanism OAUTHBEARER');
  }
  if (mechanism === 'GSSAPI' && config.saslKerberosServiceName === '') {
    problems.push('saslKerberosServiceName must not be empty with saslMechanism GSSAPI');
  }
  if (config.saslDelegationToken === true && !isScram) {
    problems.push('saslDelegationToken needs saslMechanism SCRAM-SHA-256 or SCRAM-SHA-512');
  }
  if (Array.isArray(apiVersion) && apiVersion[0] === 0 && (apiVersion[1] ?? 0) < 10) {
    problems.push(`apiVersion is ${apiVersion.join('.')}; SASL needs brokers of 0.10 or later`);
  }
}

function checkUser(config: Readonly<Record<string, unknown>>, mechanism: string, problems: string[]): void {
  for (const key of ['saslPlainUsername', 'saslPlainPassword']) {
    const value = config[key];
    const text = value instanceof Secret ? value.reveal() : value;
    if (text === null) problems.push(`${key} must be given with saslMechanism ${mechanism}; it may be empty`);
    // NUL ends a field of the message (RFC 4616), and prepared strings must not hold it (RFC 4013).
    else if (typeof text === 'string' && text.includes('\0')) problems.push(`${key} must not contain a NUL character`);
  }
}
