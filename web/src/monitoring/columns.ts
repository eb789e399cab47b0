// SPDX-License-Identifier: Apache-2.0
// The server's figures over time, as columns for the charts.
import type { StatsPoint } from '../api/stats';
import type { Column } from '../charts/series';
import type { CountRow } from '../charts/count_bars';

export interface StatsColumns {
  /** Seconds since 1970. */
  times: number[];
  p50: Column;
  p95: Column;
  throughput: Column;
  errorRate: Column;
}

/** An error rate and a latency exist only where something was asked; throughput is then 0. */
export function columnsOf(points: StatsPoint[]): StatsColumns {
  return {
    times: points.map((point) => Date.parse(point.time) / 1000),
    p50: points.map((point) => point.latency_ms?.p50 ?? null),
    p95: points.map((point) => point.latency_ms?.p95 ?? null),
    throughput: points.map((point) => point.throughput),
    errorRate: points.map((point) => (point.requests > 0 ? point.error_rate * 100 : null)),
  };
}

/** Most predicted first. */
export function labelRows(byLabel: Record<string, number>): CountRow[] {
  return Object.entries(byLabel)
    .map(([name, n]) => ({ name, counts: [n] }))
    .sort((a, b) => (b.counts[0] ?? 0) - (a.counts[0] ?? 0));
}

export interface Summary {
  requests: number;
  errors: number;
  /** Requests a second over the whole span. */
  throughput: number;
  /** The worst p95 of the span, in milliseconds. */
  worstP95: number | undefined;
}

/** The shown span in a few figures. */
export function summarise(points: StatsPoint[], intervalSeconds: number): Summary {
  const requests = points.reduce((sum, point) => sum + point.requests, 0);
  const errors = points.reduce((sum, point) => sum + point.errors, 0);
  const p95 = points.flatMap((point) => (point.latency_ms ? [point.latency_ms.p95] : []));
  const seconds = points.length * intervalSeconds;
  return {
    requests,
    errors,
    throughput: seconds > 0 ? requests / seconds : 0,
    worstP95: p95.length > 0 ? Math.max(...p95) : undefined,
  };
}
