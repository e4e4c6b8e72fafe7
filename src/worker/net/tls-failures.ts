// Owns the reason of a TLS connection that ended before the broker's first byte: whether the cause was a certificate, a setting
// or the network, and what the user can do. Network thread.

import { KafkaConnectionError, TlsAuthenticationError } from '../../common/errors/errors.ts';
import type { TlsContext } from './tls-contexts.ts';
import type { TlsSources } from './tls-settings.ts';
import { isFullAdvice, type TransportTarget } from './transport.ts';

const crlKey = 'sslCrlFile';
const noSources: TlsSources = { authorities: null, certificate: null, revocation: null };

/** The stage that a connection has reached. */
export interface TlsStage {
  readonly target: TransportTarget;
  isConnected: boolean;
  isSecure: boolean;
  /** The broker's first byte has come. So it has accepted our certificate. */
  hasRead: boolean;
  /** Null until the settings were read. */
  context: TlsContext | null;
  /** The version of a secure connection, for example `TLSv1.3`. */
  protocol?: string;
}

interface TlsError extends Error {
  code?: string;
  /** OpenSSL's text. */
  reason?: string;
}

/** Node's codes for what OpenSSL finds wrong with a chain of certificates. */
const certificateCodes =
  /^(UNABLE_TO_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_|ERROR_IN_C|HOSTNAME_MISMATCH$|UNSPECIFIED$)/;

const certificateAdvice: readonly (readonly [RegExp, string | ((sources: TlsSources) => string)])[] = [
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'connect by a name that is in the certificate, or get a certificate for this name',
  ],
  [/^CERT_HAS_EXPIRED$/, 'the broker needs a new certificate, or the clock of this machine is wrong'],
  [/^CERT_NOT_YET_VALID$/, 'the certificate is not valid yet, or the clock of this machine is wrong'],
  [
    /^CERT_REVOKED$/,
    ({ revocation }) => `its issuer has revoked it (${revocation ?? crlKey}): the broker needs a new certificate`,
  ],
  [
    /^UNABLE_TO_GET_CRL/,
    ({ revocation }) => `${revocation ?? crlKey} must hold a revocation list of every issuer in the chain`,
  ],
  [
    /^CRL_HAS_EXPIRED$/,
    ({ revocation }) => `the revocation list in ${revocation ?? crlKey} is out of date: get the issuer’s newest list`,
  ],
  [/^CRL_/, ({ revocation }) => `the revocation list in ${revocation ?? crlKey} cannot be used`],
  [/SELF_SIGNED|UNABLE_TO/, authorityAdvice],
];

/** Alerts with which a broker refuses our certificate or our settings. */
const refusals =
  /ALERT_(HANDSHAKE_FAILURE|BAD_CERTIFICATE|NO_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR|INSUFFICIENT_SECURITY|PROTOCOL_VERSION|NO_APPLICATION_PROTOCOL)$|UNRECOGNIZED_NAME$/;
const certificateRefusals = /CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR/;

/** Codes for no common version or cipher, found on this side. */
const noCommonGround =
  /^ERR_SSL_(UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|NO_PROTOCOLS_AVAILABLE|NO_CIPHERS?_\w+|WRONG_CIPHER_RETURNED|DH_KEY_TOO_SMALL|UNSAFE_LEGACY_RENEGOTIATION_DISABLED|EE_KEY_TOO_SMALL|CA_MD_TOO_WEAK)$/;

/** Codes for bytes that are not TLS. */
const notTls =
  /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|HTTPS_PROXY_REQUEST|RECORD_LAYER_FAILURE|BAD_RECORD_TYPE)$/;

/** @param error what ended the socket; null: the peer closed it in order */
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
    const text = `${where} does not speak TLS: ${seen}; if it is a plaintext port, set securityProtocol to PLAINTEXT or SASL_PLAINTEXT`;
    return new KafkaConnectionError(text, details);
  }
  // Other errors (refused, unreachable, reset) come from the network. The channel makes their text.
  return stage.isConnected && code.startsWith('ERR_')
    ? new KafkaConnectionError(`TLS with ${where} failed: ${seen}`, details)
    : error;
}

/** Node reports `ECONNRESET` for an end before the handshake is over, even if nothing was reset. */
function isEarlyEnd(error: TlsError): boolean {
  return error.code === 'ECONNRESET' && error.message.includes('before secure TLS connection');
}

/** The server closed the connection before it had read all of our bytes. The system then reports a reset. */
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

/** The advice leaves out what the user has done already. */
function authorityAdvice({ authorities }: TlsSources): string {
  if (authorities === null)
    return 'the authority that issued the certificate is not trusted: name the file with its certificate in sslCaFile';
  return `the authority that issued the certificate is not among those of ${authorities}, or the broker does not send the intermediate certificates`;
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
