// SPDX-License-Identifier: Apache-2.0
// Which version the models page shows, and small readings of what the registry says.
import type { Loaded, Models, ModelSummary, Move, VersionSummary } from '../api/models';

export interface Choice {
  name: string;
  version: number;
}

/** What was chosen if it is still there; else what serves; else the first model's champion or newest version. */
export function shownChoice(models: Models, wanted: Choice | undefined): Choice | undefined {
  const has = (choice: Choice) =>
    models.models.some((one) => one.name === choice.name && one.versions.some((v) => v.version === choice.version));
  if (wanted && has(wanted)) return wanted;
  if (models.serving && has(models.serving)) return models.serving;
  const first = models.models.find((one) => one.versions.length > 0);
  const version = first?.champion ?? first?.latest ?? first?.versions[0]?.version;
  return first && version !== undefined ? { name: first.name, version } : undefined;
}

/** What the server holds of this version; nothing when it has not even tried to load it. */
export function loadedOf(models: Models, { name, version }: Choice): Loaded | undefined {
  return models.loaded.find((one) => one.name === name && one.version === version);
}

/** Newest first. */
export function newestFirst(model: ModelSummary): VersionSummary[] {
  return [...model.versions].sort((a, b) => b.version - a.version);
}

/** Whether there is anything that a rollback of the champion could go back to. */
export function canRollBack(moves: Move[]): boolean {
  return new Set(moves.map((move) => move.version).filter((version) => version !== null)).size > 1;
}

/** A layer's output as "64 × 16 × 16". */
export function shapeInWords(output: number[] | string | null | undefined): string {
  if (output === null || output === undefined) return '';
  return typeof output === 'string' ? output : output.join(' × ');
}

export interface LineageRow {
  name: string;
  value: string;
  /** A value too large for a line: shown when asked for. */
  long: boolean;
}

/** A lineage record as rows; what is nested is printed as JSON. */
export function lineageRows(lineage: Record<string, unknown>): LineageRow[] {
  return Object.entries(lineage).flatMap(([name, value]) => {
    if (value === null || value === undefined || value === '') return [];
    const nested = typeof value === 'object';
    return [{ name, value: nested ? JSON.stringify(value, null, 2) : String(value), long: nested }];
  });
}
