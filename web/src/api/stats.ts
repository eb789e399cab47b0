// SPDX-License-Identifier: Apache-2.0
// How the server has been doing over the last minutes.
import { get, withQuery } from './client';

export interface StatsPoint {
  time: string;
  requests: number;
  errors: number;
  predictions: number;
  /** Requests a second. */
  throughput: number;
  /** 0 to 1. */
  error_rate: number;
  /** Null when nothing was asked in that time. */
  latency_ms: { mean: number; p50: number; p95: number; p99: number } | null;
}

export interface Totals {
  total: number;
  errors: number;
  predictions: number;
  average_latency_seconds: number;
}

export interface Stats {
  interval_seconds: number;
  points: StatsPoint[];
  totals: Totals;
  predictions_by_label: Record<string, number>;
  uptime_seconds: number;
}

export const getStats = (seconds: number, signal: AbortSignal) =>
  get<Stats>(withQuery('/v1/stats', { seconds }), signal);
