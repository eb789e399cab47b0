// SPDX-License-Identifier: Apache-2.0
// The server's HTTP API, typed. Every call resolves to a value or throws an ApiError that can be shown as it is.

export interface Interval {
  low: number;
  high: number;
}

export interface ClassScore {
  label: string;
  precision: number;
  recall: number;
  f1: number;
  support: number;
}

export interface TestReport {
  n: number;
  accuracy: number;
  accuracy_interval?: Interval;
  macro_precision: number;
  macro_recall: number;
  macro_f1: number;
  classes: ClassScore[];
  /** confusion[true class][predicted class], in counts. */
  confusion: number[][];
}

export interface ModelInfo {
  name: string;
  version: number | string;
  digest?: string;
  architecture?: string;
  labels: string[];
  input: { width: number; height: number };
  /** Null when the graph cannot be added up. */
  parameters?: number | null;
  macs?: number | null;
  created?: string;
  /** Absent for a model that was imported without a report. */
  test?: TestReport | null;
  lineage?: Record<string, unknown> | null;
}

export interface Status {
  status: 'ready' | 'not_ready';
  reason?: string;
  model?: ModelInfo | null;
  uptime_seconds: number;
  requests: { total: number; errors: number; predictions: number; average_latency_seconds: number };
  version: string;
}

/** One value an epoch; null where none was measured. */
export type History = (number | null)[];

export interface Metrics {
  total_requests: number;
  average_latency_seconds: number;
  prediction_count: number;
  loss: History;
  accuracy: History;
  val_loss: History;
  val_accuracy: History;
}

export interface Prediction {
  filename?: string;
  prediction: string;
  confidence: number;
  /** In class order. */
  probabilities: number[];
  class_probabilities: Record<string, number>;
  latency_seconds: number;
  model: string;
  model_version: number | string;
  request_id: string;
}

/** What went wrong, as the server says it: `message` in short, `detail` with the offending value. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly detail: string,
    readonly status: number,
    readonly code = '',
    readonly requestId = '',
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Makes an ApiError of an error answer, whether or not it is our own JSON: a proxy may have spoken. */
export function errorFrom(status: number, body: unknown): ApiError {
  if (typeof body === 'object' && body !== null && 'error' in body) {
    const answer = body as Record<string, unknown>;
    return new ApiError(text(answer.error), text(answer.detail), status, text(answer.code), text(answer.request_id));
  }
  return new ApiError(`The server answered ${status}`, text(body).slice(0, 300), status);
}

async function request(path: string, init: RequestInit): Promise<{ status: number; ok: boolean; body: unknown }> {
  let response: Response;
  let raw: string;
  try {
    response = await fetch(path, { ...init, headers: { Accept: 'application/json' } });
    raw = await response.text();
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError('No answer from the server', 'It may have stopped, or the network is down.', 0, 'unreachable');
  }
  let body: unknown = raw;
  try {
    body = JSON.parse(raw);
  } catch {
    if (response.ok) throw new ApiError(`${path} did not answer with JSON`, raw.slice(0, 300), response.status);
  }
  return { status: response.status, ok: response.ok, body };
}

export async function getStatus(signal: AbortSignal): Promise<Status> {
  const { status, body } = await request('/status', { signal });
  // A server that is not ready may say so with a 503; the body is what counts.
  if (typeof body === 'object' && body !== null && 'status' in body && 'uptime_seconds' in body) return body as Status;
  throw errorFrom(status, body);
}

export async function getMetrics(signal: AbortSignal): Promise<Metrics> {
  const { status, ok, body } = await request('/metrics', { signal });
  if (!ok) throw errorFrom(status, body);
  return body as Metrics;
}

export async function predict(file: File, signal: AbortSignal): Promise<Prediction> {
  const form = new FormData();
  form.append('file', file, file.name);
  const { status, ok, body } = await request('/predict', { method: 'POST', body: form, signal });
  if (!ok) throw errorFrom(status, body);
  return body as Prediction;
}
