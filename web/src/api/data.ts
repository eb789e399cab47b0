// SPDX-License-Identifier: Apache-2.0
// Data sets, and the images that wait to become part of one.
import { get, path, remove, sendJson, withQuery } from './client';

/** An image on the server that is in no data set yet. */
export interface Upload {
  id: string;
  name: string;
  label: string | null;
  bytes: number;
  width: number;
  height: number;
  created: string;
  url: string;
}

export interface Uploads {
  uploads: Upload[];
  total: number;
  labelled: number;
  unlabelled: number;
  by_label: Record<string, number>;
  /** Labels that are known: those of the data sets and the model. */
  labels: string[];
}

export interface Rejection {
  file: string;
  reason: string;
}

/** A label that was given in other words and taken for a known one. */
export interface AliasUse {
  given: string;
  label: string;
  files: number;
}

export interface UploadAnswer {
  files: string[];
  count: number;
  rejected: Rejection[];
  aliases: AliasUse[];
}

export interface DatasetSummary {
  name: string;
  version: string | number;
  versions: number;
  images: number;
  labels: string[];
  created: string;
  source?: string | null;
}

export type SplitName = 'train' | 'validation' | 'test';

export interface Spread {
  min: number;
  median: number;
  max: number;
}

export interface DatasetVersion {
  version: string | number;
  parent?: string | number | null;
  created: string;
  images: number;
}

export interface Dataset {
  name: string;
  version: string | number;
  versions: DatasetVersion[];
  labels: string[];
  counts: Partial<Record<SplitName, Record<string, number>>>;
  sizes?: { width: Spread; height: Spread } | null;
  refused: { path: string; reason: string }[];
  refused_count: number;
  parent?: string | number | null;
}

export interface Sample {
  path: string;
  label: string;
  split: SplitName;
  width: number;
  height: number;
  url: string;
}

export const getUploads = (signal: AbortSignal) => get<Uploads>('/v1/uploads', signal);

export const setLabel = (id: string, label: string) => sendJson<Upload>('PATCH', path('v1', 'uploads', id), { label });

export const deleteUpload = (id: string) => remove<{ deleted: string }>(path('v1', 'uploads', id));

export const getDatasets = (signal: AbortSignal) =>
  get<{ datasets: DatasetSummary[] }>('/v1/datasets', signal).then((answer) => answer.datasets);

export const getDataset = (name: string, version: string | undefined, signal: AbortSignal) =>
  get<Dataset>(withQuery(path('v1', 'datasets', name), { version }), signal);

export interface SampleFilter {
  version: string;
  label: string;
  split: string;
  limit: number;
}

/** Those that match, spread evenly; an empty label or split matches all. */
export const getSamples = (name: string, filter: SampleFilter, s: AbortSignal) =>
  get<{ samples: Sample[] }>(withQuery(path('v1', 'datasets', name, 'samples'), { ...filter }), s).then(
    (answer) => answer.samples,
  );
