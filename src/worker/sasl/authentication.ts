// Owns the login of one connection, and its repetition before the broker ends the session (KIP-368). Network thread. Must not
// know how mechanisms work: they only answer tokens. Their answers come between rounds and wait in authenticator.ts.
//
//   login:  mechanism's first token -> SaslHandshake 1 -> SaslAuthenticate ... -> ready        tokens in Kafka frames (KIP-152)
//                                   -> SaslHandshake 0 -> bare tokens ...      -> ready        length and bytes, no header
//   again:  ready -> first token -> SaslHandshake, new requests are held back -> SaslAuthenticate ... -> they are sent
//
// The token is fetched first. So requests are not held back while a token provider is slow.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import {
  IllegalSaslStateError,
  KafkaConnectionError,
  KafkaProtocolError,
  SaslAuthenticationFailedError,
  UnsupportedSaslMechanismError,
} from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import { SaslAuthenticate, SaslHandshake } from '../../protocol/flat/generated/apis.ts';
import type { WireReader } from '../../protocol/wire/wire-reader.ts';
import type { AttemptEnd } from '../client/connection-states.ts';
import type { Node } from '../client/node.ts';
import { type Channel, ChannelState } from '../net/channel.ts';
import type { ConnectionLogin } from '../net/connection-login.ts';
import type { InFlightRequest, RequestOwner } from '../requests/request-owner.ts';
import { type SaslMechanism, shownText } from './mechanism.ts';
import { decodeSaslResponse, type SaslRequest, type SaslResponse } from './sasl-messages.ts';

/** The functions that an authentication needs from the client. */
export interface AuthenticationHost {
  /** Queues a request of the login. `isAhead`: it goes before the requests that are held back. */
  sendSasl(node: Node, owner: RequestOwner, request: SaslRequest, isAhead: boolean, now: number): void;
  onAuthenticated(node: Node, now: number): void;
  /** The login failed, so the connection attempt has ended. `end` says whether the broker refused the login. */
  onAuthenticationFailed(node: Node, error: Error, now: number, end: AttemptEnd): void;
  /** The repeated login of a ready connection failed: the connection is lost. */
  onReauthenticationFailed(node: Node, error: Error, now: number): void;
}

export interface AuthenticationParts {
  readonly config: KafkaClientConfig;
  readonly host: AuthenticationHost;
  readonly node: Node;
  readonly channel: Channel;
  readonly random: () => number;
  readonly createMechanism: () => Promise<SaslMechanism>;
  /** Keeps the mechanism's outcome for the next round. */
  readonly onOutcome: (authentication: Authentication, outcome: Buffer | null | Error) => void;
}

type Phase = 'idle' | 'preparing' | 'handshake' | 'exchange';

/** How many of the broker's mechanisms an error names. */
const maxNames = 20;
const maxNameLength = 40;

const refusals: readonly number[] = [
  errorCodes.UNSUPPORTED_SASL_MECHANISM,
  errorCodes.ILLEGAL_SASL_STATE,
  errorCodes.SASL_AUTHENTICATION_FAILED,
];

/** The least time between two logins of a connection, however short the session is. */
const minRoundMs = 1000;
/** The session is renewed after this part of it, and a random part is added. */
const renewAfter = 0.85;
const renewJitter = 0.1;

export class Authentication implements RequestOwner, ConnectionLogin {
  readonly isInternal = true;
  readonly #parts: AuthenticationParts;
  #phase: Phase = 'idle';
  #mechanism: SaslMechanism | null = null;
  #firstToken: Buffer = Buffer.alloc(0);
  #isBare = false;
  #areCredentialsSent = false;
  /** A bare token was sent and the broker has not answered it yet. Tokens of the broker are accepted only then. */
  #isBareAnswerDue = false;
  /** The connection was ready before: this login is a repetition. */
  #isAgain = false;
  #sessionLifetimeMs = 0;
  /** In ms on the monotonic clock, like the times below. Infinity: never. */
  #sessionEndsAt = Number.POSITIVE_INFINITY;
  #renewAt = Number.POSITIVE_INFINITY;
  #exchangeDeadline = Number.POSITIVE_INFINITY;

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    const { node, channel } = this.#parts;
    return node.channel === channel && channel.state !== ChannelState.CLOSED && !channel.hasEnded;
  }

  /**
   * The time at which `expire` has something to do, in ms on the monotonic clock. A first login only has the setup deadline of
   * its connection. A renewal begins even if the channel is muted, so that no request meets the session's end. While the channel
   * is not read nothing is overdue, because the broker's answer may be there unread.
   */
  get deadline(): number {
    if (this.#phase === 'idle') return this.#renewAt;
    if (!this.#isAgain || this.#parts.channel.isUnread) return Number.POSITIVE_INFINITY;
    if (this.#phase === 'preparing') return this.#sessionEndsAt;
    return this.#phase === 'handshake' ? this.#handshakeDeadline() : this.#exchangeDeadline;
  }

  /** A broker answers in order. So the time of the handshake begins when the requests before it are answered. */
  #handshakeDeadline(): number {
    const { node, config } = this.#parts;
    const oldest = node.inFlight.oldest;
    if (oldest !== undefined && oldest.owner !== this) return Number.POSITIVE_INFINITY;
    return Math.max(this.#exchangeDeadline, node.lastActiveAt + config.connectionSetupTimeoutMs);
  }

  /** Begins a login. */
  start(): void {
    this.#phase = 'preparing';
    this.#mechanism = null;
    this.#parts.createMechanism().then(
      (mechanism) => {
        this.#mechanism = mechanism;
        this.#ask(Buffer.alloc(0));
      },
      (error: unknown) => this.#parts.onOutcome(this, asError(error)),
    );
  }

  /** Begins a repetition that is due, or ends one that takes too long. */
  expire(now: number): void {
    if (now < this.deadline) return;
    if (this.#phase === 'idle') {
      this.#renewAt = Number.POSITIVE_INFINITY;
      this.#isAgain = true;
      this.start();
      return;
    }
    const what = this.#phase === 'preparing' ? 'a token' : 'an answer of the broker';
    this.#fail(new SaslAuthenticationFailedError(`${what} did not come in time`), now);
  }

  /** @param from when the broker's time begins: this side did not read before */
  onReadAgain(from: number): void {
    // Several times without reading may follow each other at once, and the first may have been the longest.
    this.#exchangeDeadline = Math.max(this.#exchangeDeadline, from + this.#parts.config.connectionSetupTimeoutMs);
  }

  /** The mechanism's answer to the broker's last token. Called in a round. */
  onOutcome(outcome: Buffer | null | Error, now: number): void {
    try {
      if (outcome instanceof Error) throw this.#describe(outcome);
      if (this.#phase === 'preparing') this.#handshake(outcome ?? Buffer.alloc(0), now);
      else if (outcome === null) this.#succeed(now);
      else this.#sendToken(outcome, now);
    } catch (error) {
      this.#fail(asError(error), now);
    }
  }

  /** A bare token has arrived. Throws KafkaProtocolError when none was due. */
  onBareToken(token: Buffer): void {
    if (!this.#isBareAnswerDue) {
      const text = `the broker sent a token of ${token.length} bytes when no answer was due; it must send one token for each token of this login`;
      throw new KafkaProtocolError(text, { nodeId: this.#parts.node.id });
    }
    this.#isBareAnswerDue = false;
    this.#ask(token);
  }

  /** The reason why the peer ended the connection during the login, as far as it is known. */
  describeEnd(where: string, cause: Error | null): Error {
    const { node } = this.#parts;
    const details = { nodeId: node.id, ...(cause === null ? {} : { cause }) };
    if (!this.#areCredentialsSent || !this.#isBare) {
      const text = `${where} closed the connection during authentication${cause === null ? '' : `: ${cause.message}`}`;
      return new KafkaConnectionError(text, details);
    }
    const refusal =
      this.#mechanism?.refusal ?? 'the credentials may be wrong: old brokers close the connection without a reason';
    return new SaslAuthenticationFailedError(
      `${where} closed the connection during authentication: ${refusal}`,
      details,
    );
  }

  /** The error to report when the setup deadline has passed and this side was late. Null when the broker was late. */
  describeTimeout(): Error | null {
    if (this.#phase !== 'preparing') return null;
    const what = this.#parts.config.saslMechanism === 'OAUTHBEARER' ? 'the token provider' : 'the mechanism';
    const text = `${what} gave no token before the end of the connection setup (connectionSetupTimeoutMs)`;
    return new SaslAuthenticationFailedError(text, { nodeId: this.#parts.node.id });
  }

  // --- RequestOwner

  onResponse(request: InFlightRequest, reader: WireReader, now: number): number {
    const response = decodeSaslResponse(request, reader);
    if (response.api === SaslHandshake) this.#onHandshake(response, request.version, now);
    else this.#onAuthenticate(response, request, now);
    return 0;
  }

  onFailure(): void {
    // The connection is closed. The code that closed it has already updated the node.
  }

  onSentWithoutResponse(): void {
    throw new Error('requests of a login always have a response');
  }

  // --- steps

  #handshake(firstToken: Buffer, now: number): void {
    const { config, host, node, channel } = this.#parts;
    this.#firstToken = firstToken;
    this.#phase = 'handshake';
    host.sendSasl(node, this, { api: SaslHandshake, body: { mechanism: config.saslMechanism! } }, false, now);
    if (!this.#isAgain) return;
    this.#exchangeDeadline = now + config.connectionSetupTimeoutMs;
    channel.hold();
  }

  #onHandshake({ errorCode, mechanisms }: SaslResponse, version: number, now: number): void {
    const { saslMechanism, connectionSetupTimeoutMs } = this.#parts.config;
    // The rest of the login gets the full time again, because no requests are before it.
    if (this.#isAgain) this.#exchangeDeadline = now + connectionSetupTimeoutMs;
    // A list without our mechanism is a refusal, whatever the code says. No credentials are sent to such a server.
    const isOffered = mechanisms.length === 0 || mechanisms.includes(saslMechanism!);
    if (errorCode === 0 && isOffered) {
      this.#isBare = version === 0;
      this.#phase = 'exchange';
      this.#parts.onOutcome(this, this.#firstToken);
      this.#firstToken = Buffer.alloc(0);
      return;
    }
    const names = mechanisms.slice(0, maxNames).map((name) => shownText(name, maxNameLength));
    const offered = names.length === 0 ? 'none' : names.join(', ');
    if (errorCode === 0 || errorCode === errorCodes.UNSUPPORTED_SASL_MECHANISM) {
      this.#refuse(
        errorCodes.UNSUPPORTED_SASL_MECHANISM,
        `the broker does not offer SASL mechanism ${saslMechanism}; it offers ${offered}`,
        now,
      );
      return;
    }
    const meaning =
      errorCode === errorCodes.ILLEGAL_SASL_STATE
        ? '; probably this listener has no SASL: use the port of a listener with SASL, or a securityProtocol without SASL'
        : '';
    this.#refuse(errorCode, `the broker refused SaslHandshake with error code ${errorCode}${meaning}`, now);
  }

  #onAuthenticate(
    { errorCode, errorMessage, authBytes, sessionLifetimeMs }: SaslResponse,
    request: InFlightRequest,
    now: number,
  ): void {
    if (errorCode !== 0) {
      const said = errorMessage === null || errorMessage === '' ? 'no reason was given' : errorMessage;
      const text = this.#mechanism?.conceal(`${said} (error code ${errorCode} of the broker)`) ?? said;
      this.#refuse(errorCode, text, now);
      return;
    }
    // The session began at some time between the request and the answer.
    this.#sessionLifetimeMs = sessionLifetimeMs;
    this.#sessionEndsAt = sessionLifetimeMs > 0 ? request.sentAt + sessionLifetimeMs : Number.POSITIVE_INFINITY;
    this.#ask(authBytes);
  }

  #ask(token: Buffer): void {
    this.#mechanism!.respond(token).then(
      (next) => this.#parts.onOutcome(this, next),
      (error: unknown) => this.#parts.onOutcome(this, asError(error)),
    );
  }

  #sendToken(token: Buffer, now: number): void {
    const { host, node, channel } = this.#parts;
    this.#areCredentialsSent = true;
    if (!this.#isBare) {
      host.sendSasl(node, this, { api: SaslAuthenticate, body: { authBytes: token } }, true, now);
      return;
    }
    const frame = Buffer.alloc(4 + token.length);
    frame.writeInt32BE(token.length);
    token.copy(frame, 4);
    channel.receiveBareTokens(true);
    this.#isBareAnswerDue = !this.#mechanism!.isLastToken;
    channel.enqueue(frame);
    if (this.#mechanism!.isLastToken) this.#succeed(now);
  }

  #succeed(now: number): void {
    const { host, node, channel, random } = this.#parts;
    this.#phase = 'idle';
    this.#mechanism = null;
    channel.receiveBareTokens(false);
    if (this.#sessionLifetimeMs > 0) {
      const startedAt = this.#sessionEndsAt - this.#sessionLifetimeMs;
      const renewAt = startedAt + this.#sessionLifetimeMs * (renewAfter + renewJitter * random());
      this.#renewAt = Math.max(renewAt, now + minRoundMs);
    }
    if (this.#isAgain) channel.release();
    else host.onAuthenticated(node, now);
  }

  /** The broker refused the login. Other failures, such as those of a token provider or the Kerberos library, may be temporary. */
  #refuse(errorCode: number, text: string, now: number): void {
    this.#fail(this.#errorOf(errorCode, text), now, refusals.includes(errorCode) ? 'refusal' : 'other');
  }

  #fail(error: Error, now: number, end: AttemptEnd = 'other'): void {
    const { host, node } = this.#parts;
    if (!this.#isAgain) {
      host.onAuthenticationFailed(node, error, now, end);
      return;
    }
    // The login of the next connection will show what is wrong. Until then this counts as a lost connection.
    const text = `re-authentication with ${node.name} failed: ${error.message}`;
    const details = { nodeId: node.id, cause: error, retriable: true };
    host.onReauthenticationFailed(node, new KafkaConnectionError(text, details), now);
  }

  #errorOf(errorCode: number, text: string): Error {
    const { node, config } = this.#parts;
    const details = { nodeId: node.id };
    const whole = `login with ${config.saslMechanism} at ${node.name} failed: ${text}`;
    if (errorCode === errorCodes.UNSUPPORTED_SASL_MECHANISM) return new UnsupportedSaslMechanismError(whole, details);
    if (errorCode === errorCodes.ILLEGAL_SASL_STATE) return new IllegalSaslStateError(whole, details);
    if (errorCode === errorCodes.SASL_AUTHENTICATION_FAILED) return new SaslAuthenticationFailedError(whole, details);
    return new KafkaProtocolError(whole, details);
  }

  /** Adds the name of the node to a mechanism's error. Other errors, such as an unsupported version, are returned unchanged. */
  #describe(error: Error): Error {
    if (!(error instanceof SaslAuthenticationFailedError)) return error;
    return Object.assign(
      this.#errorOf(errorCodes.SASL_AUTHENTICATION_FAILED, error.message),
      error.cause === undefined ? {} : { cause: error.cause },
    );
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new SaslAuthenticationFailedError(`a value was thrown: ${typeof thrown}`);
}
