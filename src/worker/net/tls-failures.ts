// Owns the verdict on a TLS connection that ended before the broker's first byte: whether certificates and settings are to
// blame, or the network; and what to do. Network thread.

import { KafkaConnectionError, TlsAuthenticationError } from '../../common/errors/errors.ts';
import type { TlsContext } from './tls-contexts.ts';
import type { TlsSources } from './tls-settings.ts';
import { isFullAdvice, type TransportTarget } from './transport.ts';

const crlKey = 'sslCrlFile';
const noSources: TlsSources = { authorities: null, certificate: null, revocation: null };

/** How far a connection came. */
export interface TlsStage {
  readonly target: TransportTarget;
  isConnected: boolean;
  isSecure: boolean;
  /** Bytes of the application have come: the broker has accepted us. */
  hasRead: boolean;
  /** Null until there is one. */
  context: TlsContext | null;
  /** Of a secure connection, e.g. `TLSv1.3`. */
  protocol?: string;
}

interface TlsError extends Error {
  code?: string;
  /** OpenSSL's own words. */
  reason?: string;
}

/** What OpenSSL says of a chain of certificates, as Node names it. */
const certificateCodes =
  /^(UNABLE_TO_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_|ERROR_IN_C|HOSTNAME_MISMATCH$|UNSPECIFIED$)/;

const certificateAdvice: readonly (readonly [RegExp, string | ((sources: TlsSources) => string)])[] = [
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'connect by a name that the certificate is for, or have it issued for this one'],
  [/^CERT_HAS_EXPIRED$/, 'the broker needs a new certificate, unless the clock of this machine is wrong'],
  [/^CERT_NOT_YET_VALID$/, 'the certificate is not valid yet, or the clock of this machine is wrong'],
  [
    /^CERT_REVOKED$/,
    ({ revocation }) => `its issuer has revoked it (${revocation ?? crlKey}): the broker needs a new one`,
  ],
  [
    /^UNABLE_TO_GET_CRL/,
    ({ revocation }) => `${revocation ?? crlKey} must hold a revocation list of every issuer in the chain`,
  ],
  [
    /^CRL_HAS_EXPIRED$/,
    ({ revocation }) => `the revocation list in ${revocation ?? crlKey} is out of date: get the issuer’s newest`,
  ],
  [/^CRL_/, ({ revocation }) => `the revocation list in ${revocation ?? crlKey} cannot be used`],
  [/SELF_SIGNED|UNABLE_TO/, authorityAdvice],
];

/** Alerts by which a broker refuses what we are or offer. */
const refusals =
  /ALERT_(HANDSHAKE_FAILURE|BAD_CERTIFICATE|NO_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR|INSUFFICIENT_SECURITY|PROTOCOL_VERSION|NO_APPLICATION_PROTOCOL)$|UNRECOGNIZED_NAME$/;
const certificateRefusals = /CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR/;

/** No version or cipher that both sides know, noticed on this side. */
const noCommonGround =
  /^ERR_SSL_(UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|NO_PROTOCOLS_AVAILABLE|NO_CIPHERS?_\w+|WRONG_CIPHER_RETURNED|DH_KEY_TOO_SMALL|UNSAFE_LEGACY_RENEGOTIATION_DISABLED|EE_KEY_TOO_SMALL|CA_MD_TOO_WEAK)$/;

/** What comes out of taking something else for TLS. */
const notTls =
  /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|HTTPS_PROXY_REQUEST|RECORD_LAYER_FAILURE|BAD_RECORD_TYPE)$/;

/** @param error what ended the socket; null for an orderly end by the peer */
export function tlsFailure(error: Error | null, stage: TlsStage): Error | null {
  if (error instanceof KafkaConnectionError) return error;
  if (error === null || isEarlyEnd(error) || isReset(error, stage)) return closedEarly(error, stage);
  const { code = '', reason, message } = error as TlsError;
  const where = placeOf(stage.target);
  const seen = `${reason ?? message} (${code === '' ? 'no code' : code})`;
  const details = { cause: error };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || certificateCodes.test(code)) {
    const advice = certificateAdvice.find(([pattern]) => pattern.test(code))?.[1];
    const words = typeof advice === 'function' ? advice(stage.context?.sources ?? noSources) : advice;
    const text = `the certificate of ${where} was refused: ${seen}${words === undefined ? '' : `; ${words}`}`;
    return new TlsAuthenticationError(text, details);
  }
  if (refusals.test(code)) {
    const text = `${where} refused the TLS handshake: ${seen}; ${refusalAdvice(code, stage.context)}`;
    return new TlsAuthenticationError(text, details);
  }
  if (noCommonGround.test(code)) {
    const text = `no TLS version and cipher in common with ${where}: ${seen}; ${offer(stage.context)}`;
    return new TlsAuthenticationError(text, details);
  }
  if (notTls.test(code)) {
    const text = `${where} does not speak TLS: ${seen}; is it a plaintext port? Set securityProtocol accordingly`;
    return new KafkaConnectionError(text, details);
  }
  // Refused, unreachable, reset: facts about the network, which the channel words.
  return stage.isConnected && code.startsWith('ERR_')
    ? new KafkaConnectionError(`TLS with ${where} failed: ${seen}`, details)
    : error;
}

/** Node's own words for an end before the handshake is over: `ECONNRESET` though nothing was reset. */
function isEarlyEnd(error: TlsError): boolean {
  return error.code === 'ECONNRESET' && error.message.includes('before secure TLS connection');
}

/** A server that closes with bytes of ours unread, of our hello or our first request: the system makes a reset of it. */
function isReset({ code }: TlsError, { isConnected }: TlsStage): boolean {
  return isConnected && (code === 'ECONNRESET' || code === 'EPIPE');
}

function closedEarly(cause: Error | null, { target, isSecure, protocol, context }: TlsStage): KafkaConnectionError {
  const details = cause === null ? {} : { cause };
  if (!isSecure) {
    const text = `${placeOf(target)} closed the connection during the TLS handshake: it may be a plaintext port, require ${certificateWanted(context)}, or ${isFullAdvice}`;
    return new KafkaConnectionError(text, details);
  }
  const text = `${placeOf(target)} closed the connection right after the TLS handshake (${protocol}): it may require ${certificateWanted(context)}, or not be a Kafka broker`;
  return new KafkaConnectionError(text, details);
}

/** What was done already is no advice. */
function authorityAdvice({ authorities }: TlsSources): string {
  if (authorities === null)
    return 'the certificate’s authority is not trusted: name the file that holds it in sslCaFile';
  return `the certificate’s authority is not among those of ${authorities}, or the broker does not send the certificates between`;
}

function certificateWanted(context: TlsContext | null): string {
  const certificate = context?.sources.certificate ?? null;
  return certificate === null
    ? 'a client certificate (sslCertFile)'
    : `another client certificate than that of ${certificate}`;
}

function refusalAdvice(code: string, context: TlsContext | null): string {
  if (certificateRefusals.test(code)) return `the broker requires ${certificateWanted(context)}`;
  if (code.endsWith('HANDSHAKE_FAILURE')) {
    return `it may require ${certificateWanted(context)}, or know none of our ciphers; ${offer(context)}`;
  }
  return offer(context);
}

function offer(context: TlsContext | null): string {
  return context === null ? 'nothing was offered' : `offered were ${context.minVersion} to ${context.maxVersion}`;
}

function placeOf({ host, address, port }: TransportTarget): string {
  return host === address ? `${host}:${port}` : `${host}:${port} (${address})`;
}
