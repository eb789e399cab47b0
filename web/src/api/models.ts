// SPDX-License-Identifier: Apache-2.0
// The registry: models, their versions, and which of them serves.
import { get, path, sendJson, withQuery } from './client';
import type { Abstention, TestReport } from './server';
import type { EpochFigures } from './jobs';

export interface VersionSummary {
  version: number;
  created?: string;
  test_accuracy?: number | null;
  aliases: string[];
  run?: string | null;
  digest?: string;
}

export interface ModelSummary {
  name: string;
  champion: number | null;
  latest: number | null;
  versions: VersionSummary[];
}

/** A version that the server holds, or tried to. */
export interface Loaded {
  name: string;
  version: number;
  state: string;
  /** Why it failed. */
  reason: string | null;
  /** It answers when its model is named without a version. */
  default: boolean;
}

export interface Models {
  models: ModelSummary[];
  serving: { name: string; version: number } | null;
  loaded: Loaded[];
}

export interface Layer {
  name: string;
  kind: string;
  output?: number[] | string | null;
  parameters?: number | null;
  macs?: number | null;
}

export interface Report {
  test?: TestReport | null;
  training?: { history?: EpochFigures[] | null } | null;
}

export interface VersionDetail {
  name: string;
  version: number;
  aliases: string[];
  created?: string;
  digest?: string;
  architecture?: string;
  parameters?: number | null;
  macs?: number | null;
  labels: string[];
  input: { width: number; height: number; channels?: number };
  abstention?: Abstention | null;
  report?: Report | null;
  lineage?: Record<string, unknown> | null;
  layers?: Layer[] | null;
}

/** One move of an alias: to `version`, or away when that is null. */
export interface Move {
  version: number | null;
  time: string;
  reason?: string | null;
}

export interface Moved {
  name: string;
  alias: string;
  version: number;
  previous: number | null;
}

export const getModels = (signal: AbortSignal) => get<Models>('/v1/models', signal);

export const getVersion = (name: string, version: number, signal: AbortSignal) =>
  get<VersionDetail>(path('v1', 'models', name, 'versions', version), signal);

export const getMoves = (name: string, alias: string, signal: AbortSignal) =>
  get<{ moves: Move[] }>(withQuery(path('v1', 'models', name, 'history'), { alias }), signal).then((a) => a.moves);

export const promote = (name: string, version: number, reason: string) =>
  sendJson<Moved>('POST', path('v1', 'models', name, 'promote'), { version, reason: reason || undefined });

export const rollBack = (name: string, reason: string) =>
  sendJson<Moved>('POST', path('v1', 'models', name, 'rollback'), { reason: reason || undefined });
