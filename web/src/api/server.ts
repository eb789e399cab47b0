// SPDX-License-Identifier: Apache-2.0
// The server itself and the model it serves: status, metrics, predictions and their explanations.
import { errorFrom, get, post, request, withQuery } from './client';

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

/** When a version says that it does not know. */
export interface Abstention {
  /** Below it an answer is unsure; one for all classes, or one for each class that is said. */
  least_confidence: number | number[] | null;
  /** Above it an image is unlike those of training. */
  most_energy: number | null;
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
  /** The run that made it; empty when it was imported. */
  run?: string;
  /** Absent for a model that was imported without a report. */
  test?: TestReport | null;
  lineage?: Record<string, unknown> | null;
  /** Null for a version that always answers. */
  abstention?: Abstention | null;
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
  /** Absent for a model without limits. */
  abstained?: boolean;
  abstained_because?: 'confidence' | 'energy';
  latency_seconds: number;
  model: string;
  model_version: number | string;
  request_id: string;
}

export interface Explanation {
  predicted_class: string;
  /** The class that is explained. */
  class: string;
  class_index: number;
  confidence: number;
  layer: string;
  method: string;
  /** Rows of values from 0 to 1, coarser than the image. */
  heatmap: number[][];
  /** Areas under two curves, 0 to 1: how far to trust the map. Null when it is 0 everywhere. */
  faithfulness: { deletion: number; insertion: number } | null;
  /** The heat map over the image, as a data URL. */
  overlay: string;
  model: string;
  model_version: number | string;
  request_id: string;
}

export async function getStatus(signal: AbortSignal): Promise<Status> {
  const { status, body } = await request('/status', { signal });
  // A server that is not ready may say so with a 503; the body is what counts.
  if (typeof body === 'object' && body !== null && 'status' in body && 'uptime_seconds' in body) return body as Status;
  throw errorFrom(status, body);
}

export const getMetrics = (signal: AbortSignal) => get<Metrics>('/metrics', signal);

function imageForm(file: File): FormData {
  const form = new FormData();
  form.append('file', file, file.name);
  return form;
}

export const predict = (file: File, signal: AbortSignal) => post<Prediction>('/predict', imageForm(file), signal);

/** Where the model looked for `label`; for the class it predicts when that is left out. */
export const explain = (file: File, label: string | undefined, signal: AbortSignal) =>
  post<Explanation>(withQuery('/v1/explain', { class: label }), imageForm(file), signal);
