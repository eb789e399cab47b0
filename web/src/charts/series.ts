// SPDX-License-Identifier: Apache-2.0
// Columns of numbers as the charts take them.
import type { EpochFigures, MetricPoint } from '../api/jobs';
import type { History, Metrics } from '../api/server';

export type Column = (number | null)[];

export function isValue(value: number | null | undefined): value is number {
  return Number.isFinite(value);
}

/** Indices of values without a value on either side: a line through them has no length. */
export function lonely(column: Column): number[] {
  return column.flatMap((value, i) => {
    const near = isValue(column[i - 1]) || isValue(column[i + 1]);
    return isValue(value) && !near ? [i] : [];
  });
}

/** The last index at which any of the columns has a value; the last of all when none has. */
export function lastKnown(columns: Column[], length: number): number {
  const known = columns.map((column) => column.findLastIndex(isValue));
  const last = Math.max(-1, ...known);
  return last < 0 ? length - 1 : last;
}

export interface Curves {
  epochs: number[];
  loss: Column;
  accuracy: Column;
  val_loss: Column;
  val_accuracy: Column;
}

const kNames = ['loss', 'accuracy', 'val_loss', 'val_accuracy'] as const;

/** What a history's epochs say, in epoch order; null where an epoch has no finite value. */
export function curvesOfHistory(history: EpochFigures[]): Curves {
  const rows = [...history].sort((a, b) => a.epoch - b.epoch);
  const column = (name: (typeof kNames)[number]) => rows.map((row) => finite(row[name]));
  return {
    epochs: rows.map((row) => row.epoch),
    loss: column('loss'),
    accuracy: column('accuracy'),
    val_loss: column('val_loss'),
    val_accuracy: column('val_accuracy'),
  };
}

/** Of /metrics, whose arrays have one value an epoch from 1 on. */
export function curvesOfMetrics(metrics: Pick<Metrics, (typeof kNames)[number]>): Curves {
  const length = Math.max(...kNames.map((name) => metrics[name].length));
  const column = (values: History) => Array.from({ length }, (_, i) => finite(values[i]));
  return {
    epochs: Array.from({ length }, (_, i) => i + 1),
    loss: column(metrics.loss),
    accuracy: column(metrics.accuracy),
    val_loss: column(metrics.val_loss),
    val_accuracy: column(metrics.val_accuracy),
  };
}

/**
 * Of a run's metrics. The validation figures come once an epoch, the training figures may come oftener (by step): of
 * those, each epoch gets the last at or before its own step.
 */
export function curvesOfRun(metrics: Record<string, MetricPoint[]>): Curves {
  const points = (name: string) => [...(metrics[name] ?? [])].sort((a, b) => a.step - b.step);
  const measured = points('val_loss').length > 0 ? points('val_loss') : points('val_accuracy');
  const steps = (measured.length > 0 ? measured : points('loss')).map((point) => point.step);
  const column = (name: string) => {
    const known = points(name);
    return steps.map((step, i) => {
      const after = i > 0 ? (steps[i - 1] as number) : -Infinity;
      return finite(known.findLast((point) => point.step <= step && point.step > after)?.value);
    });
  };
  return {
    epochs: steps.map((_, i) => i + 1),
    loss: column('loss'),
    accuracy: column('accuracy'),
    val_loss: column('val_loss'),
    val_accuracy: column('val_accuracy'),
  };
}

export function hasCurves(curves: Curves): boolean {
  return kNames.some((name) => curves[name].some(isValue));
}

function finite(value: number | null | undefined): number | null {
  return isValue(value) ? value : null;
}
