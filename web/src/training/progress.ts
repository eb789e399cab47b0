// SPDX-License-Identifier: Apache-2.0
// What a training status says, in words and figures.
import type { EpochFigures, Job, JobResult, TrainingStatus } from '../api/jobs';
import { isValue } from '../charts/series';
import { duration, percent, versionName } from '../format';

export const isActive = (status: Pick<TrainingStatus, 'status'>) =>
  status.status === 'queued' || status.status === 'running';

/** 0 to 1; undefined while nobody knows. */
export function shareDone(status: TrainingStatus): number | undefined {
  if (status.status === 'done') return 1;
  if (isValue(status.progress)) return status.progress;
  if (isValue(status.step) && isValue(status.total_steps) && status.total_steps > 0)
    return status.step / status.total_steps;
  return undefined;
}

export interface Figure {
  name: string;
  value: string;
}

/** The figures that are known, in the order in which they are read. */
export function figuresOf(status: TrainingStatus): Figure[] {
  const figures: Figure[] = [];
  const add = (name: string, value: number | null | undefined, show: (value: number) => string) => {
    if (isValue(value)) figures.push({ name, value: show(value) });
  };
  const { epochs } = status;
  add('Epoch', status.epoch || null, (n) => (isValue(epochs) ? `${n} of ${epochs}` : String(n)));
  add('Loss', status.loss, (n) => n.toFixed(3));
  add('Accuracy', status.accuracy, percent);
  add('Validation loss', status.val_loss, (n) => n.toFixed(3));
  add('Validation accuracy', status.val_accuracy, percent);
  add('Images a second', status.images_per_second, (n) => Math.round(n).toLocaleString('en-US'));
  add('Time left', status.eta_seconds, (n) => duration(n));
  return figures;
}

/** The epochs so far; a status that has no history of its own is one more epoch of what was seen before. */
export function historyOf(status: TrainingStatus, before: EpochFigures[]): EpochFigures[] {
  if (status.history && status.history.length > 0) return status.history;
  if (!isActive(status) || !isValue(status.epoch) || !isValue(status.val_accuracy)) return before;
  const { epoch, loss = null, accuracy = null, val_loss = null, val_accuracy } = status;
  const rest = before.filter((one) => one.epoch !== epoch);
  return [...rest, { epoch, loss, accuracy, val_loss, val_accuracy }];
}

/** What became of a training that ended well, in one sentence. */
export function resultInWords(result: JobResult): string {
  const model = result.model ?? 'The model';
  const what = result.version === undefined ? model : `${model} ${versionName(result.version)}`;
  const accuracy = isValue(result.test_accuracy) ? `, ${percent(result.test_accuracy)} right on the test images` : '';
  const before = isValue(result.previous_accuracy) ? ` (before: ${percent(result.previous_accuracy)})` : '';
  const serves = result.champion === undefined ? '' : result.champion ? ' It serves now.' : ' It does not serve.';
  return `${what}${accuracy}${before}.${serves}`;
}

/** How long it ran or has been running; undefined before it starts. */
export function secondsOf(job: Pick<Job, 'started' | 'ended'>, now: number): number | undefined {
  if (!job.started) return undefined;
  const end = job.ended ? Date.parse(job.ended) : now;
  const seconds = (end - Date.parse(job.started)) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** A record as rows of text, what is nested under dotted names: "recipe.epochs". Empty values are left out. */
export function flatten(record: Record<string, unknown>, prefix = ''): [string, string][] {
  return Object.entries(record).flatMap(([key, value]): [string, string][] => {
    const name = prefix + key;
    if (Array.isArray(value)) return value.length > 0 ? [[name, value.map((one) => plain(one) ?? '…').join(', ')]] : [];
    if (typeof value === 'object' && value !== null) return flatten(value as Record<string, unknown>, `${name}.`);
    const text = plain(value);
    return text === undefined ? [] : [[name, text]];
  });
}

/** "NAME@VERSION" with only the first letters of a version that is a digest. */
export function shortReference(reference: string): string {
  return reference.replace(/@([0-9a-f]{8})[0-9a-f]+$/, '@$1');
}

/** What a run or a lineage trained with, by its name: a recipe is kept whole. */
export function recipeName(recipe: unknown): string | undefined {
  if (typeof recipe === 'object' && recipe !== null) return plain((recipe as Record<string, unknown>).name);
  return plain(recipe);
}

/** A value of a record as text; undefined for what is no plain value. */
export function plain(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toPrecision(4);
  if (typeof value === 'string') return value || undefined;
  return typeof value === 'boolean' ? String(value) : undefined;
}
