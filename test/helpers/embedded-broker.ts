// The embedded broker as tests, benchmarks and the main job start it. It is a part of the package: src/testing.

export * from '../../src/testing/embedded-broker.ts';
