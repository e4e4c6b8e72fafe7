import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallPlaces, callPlace, framesOf } from '../../../../src/main/link/call-place.ts';

test("a place begins with the caller of the named function, and the application's stackTraceLimit does not change", () => {
  const before = Error.stackTraceLimit;
  const inner = (): string => framesOf(callPlace(inner));
  function outer(): string {
    return inner();
  }
  assert.match(outer(), /^at outer /);
  assert.equal(Error.stackTraceLimit, before);
});

test('among very many calls few record their place, and every call does so again after one was missed', () => {
  const places = new CallPlaces();
  const count = (calls: number): number => {
    const take = (): boolean => places.of(take) !== null;
    return Array.from({ length: calls }, take).filter(Boolean).length;
  };
  assert.equal(count(1024), 1024);
  assert.equal(count(1600), 100);
  places.missed();
  assert.equal(count(1024), 1024);
});
