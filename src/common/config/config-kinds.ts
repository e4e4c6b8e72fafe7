// Owns the kinds of configuration options: how an option is described, and the type of its value. The types that callers pass are in
// generated/options.ts. Every thread. Must not validate: config-parser.ts does.

import type { Logger } from '../logger.ts';
import type { Secret } from '../secret.ts';
import type { TokenSource } from '../token-provider.ts';
import type { BootstrapServer } from './bootstrap-servers.ts';
import type { SocketOption } from './socket-options.ts';
import type { SslContext } from './ssl-context.ts';

export interface IntegerOption {
  type: 'integer';
  /** Null where the option may be left out. */
  default: number | null;
  min: number;
  max: number;
  doc: string;
}
export interface StringOption {
  type: 'string';
  /** Null where the option may be left out. */
  default: string | null;
  /** Counted in UTF-8. */
  maxBytes: number;
  doc: string;
}
export interface BooleanOption {
  type: 'boolean';
  default: boolean;
  doc: string;
}
export interface ChoiceOption {
  type: 'choice';
  /** Null if no choice is needed. */
  default: string | null;
  choices: readonly string[];
  doc: string;
}
export interface VersionOption {
  type: 'version';
  default: null;
  doc: string;
}
export interface ServersOption {
  type: 'servers';
  /** Null where the option may be left out. */
  default: string | null;
  doc: string;
}
export interface TopicsOption {
  type: 'topics';
  default: readonly string[];
  doc: string;
}
/** A secret text. */
export interface SecretOption {
  type: 'secret';
  default: null;
  doc: string;
}
export interface SslContextOption {
  type: 'sslContext';
  default: null;
  doc: string;
}
/** The URL of a module, as a URL object or as text. The value is the text. */
export interface UrlOption {
  type: 'url';
  default: null;
  doc: string;
}
export interface SocketOptionsOption {
  type: 'socketOptions';
  default: null;
  doc: string;
}
export interface TokenProviderOption {
  type: 'tokenProvider';
  default: null;
  doc: string;
}
export interface LoggerOption {
  type: 'logger';
  default: null;
  doc: string;
}
export type ConfigOption =
  | IntegerOption
  | StringOption
  | BooleanOption
  | ChoiceOption
  | VersionOption
  | ServersOption
  | TopicsOption
  | SecretOption
  | SslContextOption
  | UrlOption
  | SocketOptionsOption
  | TokenProviderOption
  | LoggerOption;

export const KiB = 1024;
export const MiB = 1024 * 1024;

export const integer = (value: number, min: number, max: number, doc: string): IntegerOption & { default: number } => ({
  type: 'integer',
  default: value,
  min,
  max,
  doc,
});

/** Type of the validated value of an option. */
export type ValueOf<O> = O extends IntegerOption
  ? O extends { default: null }
    ? number | null
    : number
  : O extends BooleanOption
    ? boolean
    : O extends ServersOption
      ? O extends { default: null }
        ? readonly BootstrapServer[] | null
        : readonly BootstrapServer[]
      : O extends TopicsOption
        ? readonly string[]
        : O extends VersionOption
          ? readonly number[] | null
          : O extends SecretOption
            ? Secret | null
            : O extends SocketOptionsOption
              ? readonly SocketOption[] | null
              : O extends SslContextOption
                ? Secret<SslContext> | null
                : O extends TokenProviderOption
                  ? Secret<TokenSource> | null
                  : O extends LoggerOption
                    ? Logger | null
                    : O extends { default: null }
                      ? string | null
                      : string;

/** The path of a file that the network thread reads. A relative path begins at the working directory of the process. */
export const file = (doc: string) => ({ type: 'string', default: null, maxBytes: 4096, doc }) as const;
