// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { StatsPoint } from '../api/stats';
import { columnsOf, labelRows, summarise } from './columns';

const busy: StatsPoint = {
  time: '2026-11-21T04:16:10Z',
  requests: 10,
  errors: 1,
  predictions: 9,
  throughput: 2,
  error_rate: 0.1,
  latency_ms: { mean: 2, p50: 1.5, p95: 4, p99: 9 },
};
const idle: StatsPoint = {
  time: '2026-11-21T04:16:15Z',
  requests: 0,
  errors: 0,
  predictions: 0,
  throughput: 0,
  error_rate: 0,
  latency_ms: null,
};

test('a time without requests has a throughput of 0, but no latency and no error rate', () => {
  const columns = columnsOf([busy, idle]);
  expect(columns.times[1]! - columns.times[0]!).toBe(5);
  expect(columns.throughput).toEqual([2, 0]);
  expect(columns.p95).toEqual([4, null]);
  expect(columns.errorRate).toEqual([10, null]);
});

test('the span is summed up over busy and idle times alike', () => {
  expect(summarise([busy, idle], 5)).toEqual({ requests: 10, errors: 1, throughput: 1, worstP95: 4 });
  expect(summarise([], 5)).toEqual({ requests: 0, errors: 0, throughput: 0, worstP95: undefined });
});

test('labels are ordered by how often they were predicted', () => {
  expect(labelRows({ cat: 1, dog: 3 })).toEqual([
    { name: 'dog', counts: [3] },
    { name: 'cat', counts: [1] },
  ]);
});
