// SPDX-License-Identifier: Apache-2.0
// Training: jobs, their progress, and the runs they leave behind.
import { get, path, remove, sendJson, withQuery } from './client';

export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** The figures after one epoch; null where none was measured. */
export interface EpochFigures {
  epoch: number;
  loss?: number | null;
  accuracy?: number | null;
  val_loss?: number | null;
  val_accuracy?: number | null;
}

export interface JobResult {
  run?: string;
  model?: string;
  version?: number;
  verdict?: string;
  champion?: boolean;
  test_accuracy?: number;
  previous_accuracy?: number;
}

/** How far a job is. Members that are not known yet are null or absent. */
export interface TrainingStatus {
  status: 'idle' | JobState;
  is_training: boolean;
  job_id?: string | null;
  kind?: string | null;
  /** 0 to 1. */
  progress?: number | null;
  epoch?: number | null;
  epochs?: number | null;
  step?: number | null;
  total_steps?: number | null;
  loss?: number | null;
  accuracy?: number | null;
  val_loss?: number | null;
  val_accuracy?: number | null;
  images_per_second?: number | null;
  eta_seconds?: number | null;
  stage?: string | null;
  message?: string | null;
  result?: JobResult | null;
  error?: string | null;
  run?: string | null;
  history?: EpochFigures[] | null;
  created?: string | null;
  started?: string | null;
  ended?: string | null;
}

/** A job as the list has it. */
export interface Job {
  id: string;
  kind: string;
  state: JobState;
  /** What was asked for; null is not of this kind of job, or left to the server. */
  model: string | null;
  dataset: string | null;
  recipe: string | null;
  epochs: number | null;
  /** New ones that a retraining was given. */
  images: number | null;
  result?: JobResult | null;
  error?: string | null;
  attempts?: number;
  created: string;
  started?: string | null;
  ended?: string | null;
}

export interface Run {
  id: string;
  kind: string;
  status: string;
  created: string;
  ended?: string | null;
  error?: string | null;
  params: Record<string, unknown> | null;
  /** Null until the run has ended. */
  summary: Record<string, unknown> | null;
}

export interface MetricPoint {
  step: number;
  value: number;
  time?: string;
}

export interface RunDetail extends Run {
  metrics: Record<string, MetricPoint[]>;
}

export interface TrainRequest {
  dataset?: string | undefined;
  recipe?: string | undefined;
  model?: string | undefined;
  epochs?: number | undefined;
  max_minutes?: number | undefined;
  seed?: number | undefined;
}

export interface RetrainRequest {
  model?: string | undefined;
  epochs?: number | undefined;
}

export const startTraining = (wish: TrainRequest) => sendJson<Job>('POST', '/v1/jobs', { kind: 'train', ...wish });
export const startRetraining = (wish: RetrainRequest) =>
  sendJson<Job>('POST', '/v1/jobs', { kind: 'retrain', ...wish });

/** Cancels a queued job, stops a running one. */
export const stopJob = (id: string) => remove<Job>(path('v1', 'jobs', id));

export const getTrainingStatus = (signal: AbortSignal) => get<TrainingStatus>('/training-status', signal);
export const kTrainingEvents = '/v1/jobs/events';

export const getJobs = (signal: AbortSignal) =>
  get<{ jobs: Job[] }>(withQuery('/v1/jobs', { limit: 50 }), signal).then((answer) => answer.jobs);

export const getRuns = (signal: AbortSignal) =>
  get<{ runs: Run[] }>(withQuery('/v1/runs', { limit: 50 }), signal).then((answer) => answer.runs);

export const getRun = (id: string, signal: AbortSignal) => get<RunDetail>(path('v1', 'runs', id), signal);

export interface Recipe {
  name: string;
  description: string;
  /** What it does unless told otherwise; null where it has no limit or leaves it to the program. */
  epochs: number | null;
  max_minutes: number | null;
}

export const getRecipes = (signal: AbortSignal) =>
  get<{ recipes: Recipe[] }>('/v1/recipes', signal).then((answer) => answer.recipes);
