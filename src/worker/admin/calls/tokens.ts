// Owns administration calls about delegation tokens. Network thread. Source: KIP-48, KIP-373

import type Long from 'long';
import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { DelegationToken } from '../../../common/admin/security.ts';
import { IllegalArgumentError } from '../../../common/errors/errors.ts';
import {
  CreateDelegationToken,
  DescribeDelegationToken,
  ExpireDelegationToken,
  RenewDelegationToken,
} from '../../../protocol/flat/generated/apis.ts';
import { type Call, someBroker } from '../call.ts';
import { askOnce } from '../whole.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];

/** Since this version a token may be made for another owner, and names who asked for it (KIP-373). */
const ownersVersion = 3;

export async function createDelegationToken(
  call: Call,
  { owner, renewers, maxLifetimeMs }: Args<'createDelegationToken'>,
): Promise<DelegationToken> {
  const older = { renewers: renewers.map(principalOf), maxLifetimeMs };
  const named = owner === null ? { principalType: null, principalName: null } : principalOf(owner);
  const newer = { ...older, ownerPrincipalType: named.principalType, ownerPrincipalName: named.principalName };
  const { response, version } = await askOnce(call, 'any', async () => {
    const answer =
      owner === null
        ? await call.sendEither(someBroker, CreateDelegationToken, { newerSince: ownersVersion, newer, older })
        : await call.send(someBroker, CreateDelegationToken, newer, { minVersion: ownersVersion });
    return { code: answer.response.errorCode, answer };
  });
  const { principalType, principalName, tokenRequesterPrincipalType, tokenRequesterPrincipalName } = response;
  return {
    tokenId: response.tokenId,
    hmac: Uint8Array.from(response.hmac),
    owner: `${principalType}:${principalName}`,
    requester: version >= ownersVersion ? `${tokenRequesterPrincipalType}:${tokenRequesterPrincipalName}` : null,
    renewers,
    issueTimestampMs: response.issueTimestampMs,
    expiryTimestampMs: response.expiryTimestampMs,
    maxTimestampMs: response.maxTimestampMs,
  };
}

export async function renewDelegationToken(
  call: Call,
  { hmac, renewPeriodMs }: Args<'renewDelegationToken'>,
): Promise<Long> {
  const { expiryTimestampMs } = await askOnce(call, 'any', async () => {
    const { response } = await call.send(someBroker, RenewDelegationToken, { hmac, renewPeriodMs });
    return { code: response.errorCode, answer: response };
  });
  return expiryTimestampMs;
}

export async function expireDelegationToken(
  call: Call,
  { hmac, expiryTimePeriodMs }: Args<'expireDelegationToken'>,
): Promise<Long> {
  const { expiryTimestampMs } = await askOnce(call, 'any', async () => {
    const { response } = await call.send(someBroker, ExpireDelegationToken, { hmac, expiryTimePeriodMs });
    return { code: response.errorCode, answer: response };
  });
  return expiryTimestampMs;
}

export async function describeDelegationToken(
  call: Call,
  { owners }: Args<'describeDelegationToken'>,
): Promise<readonly DelegationToken[]> {
  const request = { owners: owners?.map(principalOf) ?? null };
  const { response, version } = await askOnce(call, 'any', async () => {
    const answer = await call.send(someBroker, DescribeDelegationToken, request);
    return { code: answer.response.errorCode, answer };
  });
  return response.tokens.map((token) => ({
    tokenId: token.tokenId,
    hmac: Uint8Array.from(token.hmac),
    owner: `${token.principalType}:${token.principalName}`,
    requester:
      version >= ownersVersion ? `${token.tokenRequesterPrincipalType}:${token.tokenRequesterPrincipalName}` : null,
    renewers: token.renewers.map(({ principalType, principalName }) => `${principalType}:${principalName}`),
    issueTimestampMs: token.issueTimestamp,
    expiryTimestampMs: token.expiryTimestamp,
    maxTimestampMs: token.maxTimestamp,
  }));
}

/** Of a text such as `User:alice`. */
function principalOf(text: string): { principalType: string; principalName: string } {
  const at = text.indexOf(':');
  if (at <= 0) throw new IllegalArgumentError(`a principal must be such as 'User:alice', not '${text.slice(0, 80)}'`);
  return { principalType: text.slice(0, at), principalName: text.slice(at + 1) };
}
