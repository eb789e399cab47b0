// SPDX-License-Identifier: Apache-2.0
// One way to the server's HTTP API: every call resolves to a value or throws an ApiError that can be shown as it is.
import { apiKey, keyHeader, wantKey } from './key';

/** What went wrong, as the server says it: `message` in short, `detail` with the offending value. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly detail: string,
    readonly status: number,
    readonly code = '',
    readonly requestId = '',
    /** The whole answer, for callers that know more of its members. */
    readonly body: unknown = undefined,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export interface Answer {
  status: number;
  ok: boolean;
  body: unknown;
}

function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Makes an ApiError of an error answer, whether or not it is our own JSON: a proxy may have spoken. */
export function errorFrom(status: number, body: unknown): ApiError {
  if (typeof body === 'object' && body !== null && 'error' in body) {
    const { error, detail, code, request_id } = body as Record<string, unknown>;
    return new ApiError(text(error), text(detail), status, text(code), text(request_id), body);
  }
  return new ApiError(`The server answered ${status}`, text(body).slice(0, 300), status);
}

/** Any thrown value as an ApiError, to be shown. */
export function asApiError(cause: unknown): ApiError {
  return cause instanceof ApiError ? cause : new ApiError('The answer could not be read', String(cause), 0);
}

export const unreachable = () =>
  new ApiError('No answer from the server', 'It may have stopped, or the network is down.', 0, 'unreachable');

/** The body of an answer: JSON, or else its text. */
export function parseBody(path: string, status: number, raw: string): Answer {
  const ok = status >= 200 && status < 300;
  if (raw === '') return { status, ok, body: {} };
  try {
    return { status, ok, body: JSON.parse(raw) as unknown };
  } catch {
    if (ok) throw new ApiError(`${path} did not answer with JSON`, raw.slice(0, 300), status);
    return { status, ok, body: raw };
  }
}

const kPatienceSeconds = 20;

function pause(seconds: number, signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** How long to wait before asking again; undefined when there is no use in it. */
export function waitSeconds(response: Response, tries: number): number | undefined {
  if (response.status !== 429 || tries >= 3) return undefined;
  const asked = Number(response.headers.get('Retry-After') ?? 1);
  // Those who wait together must not all come back together.
  const seconds = (Number.isFinite(asked) ? asked : 1) + Math.random() * (1 + tries * 3);
  return seconds <= kPatienceSeconds ? seconds : undefined;
}

/** Reads that come too often for the server's limit wait as long as it says; what changes things is refused at once. */
async function sendPatiently(path: string, init: RequestInit, key: string | undefined): Promise<Response> {
  for (let tries = 0; ; tries++) {
    const response = await send(path, init, key);
    const wait = (init.method ?? 'GET') === 'GET' ? waitSeconds(response, tries) : undefined;
    if (wait === undefined) return response;
    await pause(wait, init.signal);
  }
}

async function send(path: string, init: RequestInit, key: string | undefined): Promise<Response> {
  try {
    const headers = { Accept: 'application/json', ...(init.headers as Record<string, string>), ...keyHeader(key) };
    return await fetch(path, { ...init, headers });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw unreachable();
  }
}

/** fetch() with the key, which is asked for once when the server wants one. */
export async function fetchWithKey(path: string, init: RequestInit): Promise<Response> {
  const key = apiKey();
  const response = await sendPatiently(path, init, key);
  if (response.status !== 401) return response;
  const raw = await response.clone().text();
  const reason = errorFrom(401, parseBody(path, 401, raw).body).message;
  // What the reader started may ask again; a page that refreshes itself may not.
  const next = await wantKey(key, reason, (init.method ?? 'GET') !== 'GET');
  return next ? send(path, init, next) : response;
}

export async function request(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetchWithKey(path, init);
  let raw: string;
  try {
    raw = await response.text();
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw unreachable();
  }
  return parseBody(path, response.status, raw);
}

async function valueOf<T>(path: string, init: RequestInit): Promise<T> {
  const { status, ok, body } = await request(path, init);
  if (!ok) throw errorFrom(status, body);
  return body as T;
}

export const get = <T>(path: string, signal?: AbortSignal | null) => valueOf<T>(path, { signal: signal ?? null });

export const post = <T>(path: string, body: BodyInit, signal?: AbortSignal) =>
  valueOf<T>(path, { method: 'POST', body, signal: signal ?? null });

/** Sends `value` as JSON. Members that are undefined are left out. */
export const sendJson = <T>(method: 'POST' | 'PATCH', path: string, value: unknown) =>
  valueOf<T>(path, { method, body: JSON.stringify(value), headers: { 'Content-Type': 'application/json' } });

export const remove = <T>(path: string) => valueOf<T>(path, { method: 'DELETE' });

/** A path whose parts are names: `path('v1', 'models', 'a/b')` is "/v1/models/a%2Fb". */
export const path = (...parts: (string | number)[]) =>
  `/${parts.map((part) => encodeURIComponent(String(part))).join('/')}`;

/** `base` with the parameters that have a value. */
export function withQuery(base: string, parameters: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== '') query.set(name, String(value));
  const text = query.toString();
  return text ? `${base}?${text}` : base;
}
