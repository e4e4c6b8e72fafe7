import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BackoffConfig,
  backoffWithJitter,
  ConnectionState,
} from '../../../../src/worker/client/connection-states.ts';

const config: BackoffConfig = {
  reconnectBackoffMs: 50,
  reconnectBackoffMaxMs: 1000,
  connectionSetupTimeoutMs: 10_000,
  connectionSetupTimeoutMaxMs: 30_000,
};
const boom = new Error('boom');
const noJitter = () => 0.5;

test('backoff doubles per failure and is capped before jitter', () => {
  const series = [0, 1, 2, 3, 4, 5, 6, 7].map((failures) => backoffWithJitter(50, 1000, failures, noJitter));
  assert.deepEqual(series, [0, 50, 100, 200, 400, 800, 1000, 1000]);
  assert.equal(
    backoffWithJitter(50, 1000, 10, () => 0),
    800,
  );
  assert.ok(Math.abs(backoffWithJitter(50, 1000, 10, () => 0.99999999) - 1200) < 0.01);
});

test('backoff is constant and without jitter if its limit is at or below the base', () => {
  for (const max of [0, 49, 50])
    assert.equal(
      backoffWithJitter(50, max, 7, () => 0),
      50,
    );
});

test('any number of failures gives a finite wait', () => {
  for (const failures of [63, 100, 1e9]) assert.equal(backoffWithJitter(1, 5000, failures, noJitter), 5000);
  assert.equal(backoffWithJitter(0, 1000, 5, noJitter), 0);
});

test('a new node can be connected at once', () => {
  const state = new ConnectionState(config, noJitter);
  assert.equal(state.delay(0), 0);
  assert.equal(state.isThrottled(0), false);
  assert.equal(state.setupDeadline, Number.POSITIVE_INFINITY);
});

test('backoff counts from the start of the attempt', () => {
  const state = new ConnectionState(config, noJitter);
  state.attemptStarted(1000, false);
  state.failed(boom, 1030, 'other');
  assert.equal(state.delay(1030), 20);
  assert.equal(state.delay(1050), 0);
  assert.equal(state.lastError, boom);
  state.attemptStarted(1050, false);
  state.failed(boom, 5000, 'other');
  assert.equal(state.delay(5000), 0, 'the attempt took longer than the wait');
  assert.equal(state.failures, 2);
});

test('success forgets failures, error and addresses', () => {
  const state = new ConnectionState(config, noJitter);
  for (let i = 0; i < 5; i++) {
    state.attemptStarted(i, false);
    state.failed(boom, i, 'setup timeout');
  }
  state.attemptStarted(100, false);
  state.untriedAddresses = ['x'];
  state.succeeded();
  assert.equal(state.failures, 0);
  assert.equal(state.lastError, null);
  assert.deepEqual(state.untriedAddresses, []);
  assert.equal(state.delay(0), 0);
  assert.equal(state.setupDeadline, Number.POSITIVE_INFINITY);
  state.attemptStarted(200, false);
  assert.equal(state.setupDeadline, 10_200, 'setup timeouts start anew too');
});

test('a loss after success backs off by one step', () => {
  const state = new ConnectionState(config, noJitter);
  state.attemptStarted(1000, false);
  state.succeeded();
  state.failed(boom, 1010, 'other');
  assert.equal(state.delay(1010), 40);
  state.attemptStarted(2000, false);
  state.succeeded();
  state.failed(boom, 900_000, 'other');
  assert.equal(state.delay(900_000), 0);
});

test('the setup deadline doubles with setup timeouts only, shared by the addresses of one look-up', () => {
  const state = new ConnectionState(config, noJitter);
  const limits: number[] = [];
  for (const wasSetupTimeout of [false, true, true, true, false]) {
    state.attemptStarted(0, false);
    limits.push(state.setupDeadline);
    state.attemptStarted(5000, true);
    assert.equal(state.setupDeadline, limits.at(-1));
    state.failed(boom, 0, wasSetupTimeout ? 'setup timeout' : 'other');
  }
  assert.deepEqual(limits, [10_000, 10_000, 20_000, 30_000, 30_000]);
});

test('closing on purpose does not count as a failure', () => {
  const state = new ConnectionState(config, noJitter);
  state.attemptStarted(0, false);
  state.closedOnPurpose();
  assert.equal(state.failures, 0);
  assert.equal(state.delay(1), 0);
  assert.equal(state.setupDeadline, Number.POSITIVE_INFINITY);
});

test('a throttle never moves back', () => {
  const state = new ConnectionState(config, noJitter);
  state.throttle(500, 1000);
  state.throttle(100, 1100);
  assert.ok(state.isThrottled(1499));
  assert.equal(state.isThrottled(1500), false);
  state.throttle(0, 9000);
  assert.equal(state.isThrottled(9000), false);
});
