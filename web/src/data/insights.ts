// SPDX-License-Identifier: Apache-2.0
// What a data set's description says, in numbers ready to draw.
import type { Dataset, Spread, SplitName } from '../api/data';
import type { CountRow } from '../charts/count_bars';

export const kSplits: SplitName[] = ['train', 'validation', 'test'];

/** The splits that have images. */
export function splitsOf(dataset: Pick<Dataset, 'counts'>): SplitName[] {
  return kSplits.filter((split) => Object.values(dataset.counts[split] ?? {}).some((n) => n > 0));
}

/** Images a class, one row each in label order, by the splits of splitsOf(). */
export function distribution(dataset: Pick<Dataset, 'counts' | 'labels'>): CountRow[] {
  const splits = splitsOf(dataset);
  return dataset.labels.map((name) => ({ name, counts: splits.map((split) => dataset.counts[split]?.[name] ?? 0) }));
}

export function imagesIn(dataset: Pick<Dataset, 'counts'>, split: SplitName): number {
  return Object.values(dataset.counts[split] ?? {}).reduce((sum, n) => sum + n, 0);
}

/** The largest class over the smallest one that is not empty; 1 is perfect balance. */
export function imbalance(rows: CountRow[]): number {
  const totals = rows.map((row) => row.counts.reduce((sum, n) => sum + n, 0)).filter((n) => n > 0);
  return totals.length > 0 ? Math.max(...totals) / Math.min(...totals) : 1;
}

/** "32 px", or "20 to 640 px, median 300". */
export function spreadInWords({ min, median, max }: Spread): string {
  return min === max ? `${min} px` : `${min} to ${max} px, median ${Math.round(median)}`;
}
