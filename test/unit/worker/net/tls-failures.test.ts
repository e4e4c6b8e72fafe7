import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaConnectionError, TlsAuthenticationError } from '../../../../src/common/errors/errors.ts';
import { type TlsStage, tlsFailure } from '../../../../src/worker/net/tls-failures.ts';

const target = { host: 'broker.test', address: '10.0.0.1', port: 9093 };
const context = {
  secureContext: { context: null },
  rejectUnauthorized: true,
  sources: { authorities: null, certificate: null, revocation: null },
  perConnection: {},
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
};

function stage(more: Partial<TlsStage> = {}): TlsStage {
  return { target, context, isConnected: true, isSecure: false, hasRead: false, ...more };
}

function failure(code: string, more: Partial<TlsStage> = {}, message = 'what Node says'): Error | null {
  return tlsFailure(Object.assign(new Error(message), { code }), stage(more));
}

for (const code of [
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_CRL',
  'CRL_HAS_EXPIRED',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_NO_CIPHERS_AVAILABLE',
]) {
  test(`${code} is an error of certificates or settings`, () => {
    const error = failure(code);
    assert.ok(error instanceof TlsAuthenticationError, String(error));
    assert.match(error.message, /broker\.test:9093 \(10\.0\.0\.1\)/);
    assert.ok(error.message.includes(code));
    assert.equal((error.cause as NodeJS.ErrnoException).code, code);
  });
}

for (const code of ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST']) {
  test(`${code} asks whether the port is a plaintext one`, () => {
    const error = failure(code);
    assert.ok(error instanceof KafkaConnectionError);
    assert.equal(error instanceof TlsAuthenticationError, false);
    assert.match(error.message, /does not speak TLS.*plaintext port/);
  });
}

for (const code of ['ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC']) {
  test(`${code} is an error of the connection, not of certificates`, () => {
    const error = failure(code);
    assert.ok(error instanceof KafkaConnectionError);
    assert.equal(error instanceof TlsAuthenticationError, false);
    assert.equal(error.retriable, true);
  });
}

for (const code of ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ETIMEDOUT']) {
  test(`${code} is not changed`, () => {
    const error = failure(code, { isConnected: false });
    assert.equal((error as NodeJS.ErrnoException).code, code);
    assert.equal(error instanceof KafkaConnectionError, false);
  });
}

test('an end before the handshake is over does not count as a reset, whatever Node calls it', () => {
  const text = 'Client network socket disconnected before secure TLS connection was established';
  const error = failure('ECONNRESET', {}, text);
  assert.ok(error instanceof KafkaConnectionError);
  assert.match(
    error.message,
    /closed the connection during the TLS handshake: it may be a plaintext port, require a client certificate.*, or have all the connections it takes.*\(max\.connections\.per\.ip\)/,
  );
});

test('a reset before the handshake is over does not count as a reset either, because the system makes it when the broker closes without reading', () => {
  const error = failure('ECONNRESET');
  assert.ok(error instanceof KafkaConnectionError);
  assert.match(error.message, /during the TLS handshake.*max\.connections\.per\.ip/);
});

test('the error for an untrusted authority does not advise to set sslCaFile if it is set', () => {
  const code = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
  assert.match(failure(code)!.message, /name the file with its certificate in sslCaFile \[KAFKA_\w+\]$/);
  const sources = { authorities: 'sslContext.ca', certificate: null, revocation: 'sslContext.crl' };
  const named = failure(code, { context: { ...context, sources } })!.message;
  assert.match(
    named,
    /not among those of sslContext\.ca, or the broker does not send the intermediate certificates \[KAFKA_\w+\]$/,
  );
  assert.match(failure('CRL_HAS_EXPIRED', { context: { ...context, sources } })!.message, /list in sslContext\.crl is/);
});

test('an end right after the handshake is how some servers refuse a client certificate', () => {
  const without = tlsFailure(null, stage({ isSecure: true, protocol: 'TLSv1.3' }));
  assert.ok(without instanceof KafkaConnectionError);
  assert.match(
    without.message,
    /right after the TLS handshake \(TLSv1\.3\): it may require a client certificate \(sslCertFile\)/,
  );
  const own = { ...context, sources: { ...context.sources, certificate: "sslCertFile 'own.pem'" } };
  const withOwn = tlsFailure(null, stage({ isSecure: true, protocol: 'TLSv1.3', context: own }));
  assert.match(withOwn!.message, /another client certificate than that of sslCertFile/);
});

test('a reset before the first byte of a secure connection counts as such an end too, because the system makes it from unread bytes', () => {
  for (const code of ['ECONNRESET', 'EPIPE']) {
    const error = failure(code, { isSecure: true, protocol: 'TLSv1.3' });
    assert.ok(error instanceof KafkaConnectionError);
    assert.equal(error instanceof TlsAuthenticationError, false);
    assert.match(
      error.message,
      /closed the connection right after the TLS handshake.*a client certificate \(sslCertFile\)/,
    );
    assert.equal((error.cause as NodeJS.ErrnoException).code, code);
  }
});
