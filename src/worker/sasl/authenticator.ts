// Owns the logins of all connections: makes one for each connection, and keeps the answers of mechanisms, which come at any time,
// for the next round. Network thread. Must not decide what a failure means for a node.

import { withoutBrackets } from '../../common/config/bootstrap-servers.ts';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import { maxTimerMs } from '../../common/numbers.ts';
import type { AskForToken } from '../../common/token-provider.ts';
import { wireCodec } from '../../protocol/wire/codecs.ts';
import type { AttemptEnd } from '../client/connection-states.ts';
import type { Connections } from '../client/connections.ts';
import type { Node } from '../client/node.ts';
import type { RequestSender } from '../client/request-sender.ts';
import { ChannelState } from '../net/channel.ts';
import type { RequestOwner } from '../requests/request-owner.ts';
import { Authentication, type AuthenticationHost } from './authentication.ts';
import type { CreateMechanism } from './mechanism.ts';
import { prepareMechanism } from './mechanisms.ts';
import { encodeSaslRequest, type SaslRequest } from './sasl-messages.ts';

interface Outcome {
  readonly authentication: Authentication;
  readonly outcome: Buffer | null | Error;
}

export interface AuthenticatorParts {
  readonly config: KafkaClientConfig;
  /** Loads the code that gets tokens for OAUTHBEARER. */
  readonly loadTokenSource: () => Promise<AskForToken>;
  readonly connections: Connections;
  readonly onLoggedIn: (node: Node, now: number) => void;
  readonly sender: RequestSender;
  readonly wake: () => void;
  readonly random: () => number;
}

export class Authenticator implements AuthenticationHost {
  readonly #parts: AuthenticatorParts;
  /** The function that makes mechanisms. Logins wait for it, and fail if it fails. */
  readonly #prepared: Promise<CreateMechanism>;
  #outcomes: Outcome[] = [];

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
    this.#prepared = prepareMechanism(parts.config, parts.loadTokenSource);
    // Logins and `ready` report the failure. Without them it must not be an unhandled rejection.
    this.#prepared.catch(() => {});
  }

  /**
   * Resolves when logins can begin, or when the time is over. In the second case logins go on waiting until their own deadlines.
   * Rejects with KafkaConfigurationError when logins can never begin.
   */
  async ready(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
    try {
      await Promise.race([this.#prepared, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Begins the login of a connection. Its version exchange must be over. */
  begin(node: Node): void {
    const { config, wake, random } = this.#parts;
    const channel = node.channel!;
    channel.state = ChannelState.AUTHENTICATING;
    const authentication = new Authentication({
      config,
      host: this,
      node,
      channel,
      random,
      createMechanism: async () => (await this.#prepared)(withoutBrackets(node.host)),
      onOutcome: (authentication, outcome) => {
        this.#outcomes.push({ authentication, outcome });
        wake();
      },
    });
    channel.authentication = authentication;
    authentication.start();
  }

  /** Handles the answers of mechanisms. Returns how many there were. */
  poll(now: number): number {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    for (const { authentication, outcome } of outcomes) {
      // The connection may be closed by now.
      if (authentication.isOpen) authentication.onOutcome(outcome, now);
    }
    return outcomes.length;
  }

  // --- AuthenticationHost

  sendSasl(node: Node, owner: RequestOwner, request: SaslRequest, isAhead: boolean, now: number): void {
    const codec = wireCodec(request.api.key);
    const version = node.apiVersions!.choose(codec, -1);
    const message = encodeSaslRequest(request);
    // The login has its own deadline. It may begin long after this call.
    this.#parts.sender.send(
      node,
      { owner, requestId: 0, codec, version, timeoutMs: maxTimerMs, message, isAhead },
      now,
    );
  }

  onAuthenticated(node: Node, now: number): void {
    this.#parts.onLoggedIn(node, now);
  }

  onAuthenticationFailed(node: Node, error: Error, now: number, end: AttemptEnd): void {
    // Other addresses are not tried: they are the same broker, with the same users.
    node.connection.untriedAddresses = [];
    node.connection.refused(now);
    this.#parts.connections.attemptFailed(node, error, now, end);
  }

  onReauthenticationFailed(node: Node, error: Error, now: number): void {
    this.#parts.connections.lost(node, error, undefined, now);
  }
}
