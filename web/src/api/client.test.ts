// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from 'vitest';
import { ApiError, errorFrom, path, waitSeconds, withQuery } from './client';
import { apiKey, onKeyWanted, setApiKey } from './key';
import { getStatus, predict } from './server';

// Node.js 18 has no global File; a Blob with a name is all that is asked for.
const image = Object.assign(new Blob(['x']), { name: 'x.jpg' }) as File;
const { signal } = new AbortController();
const answer = (body: string, status: number) => vi.stubGlobal('fetch', async () => new Response(body, { status }));

afterEach(() => {
  onKeyWanted(undefined);
  vi.unstubAllGlobals();
});

test('an error answer keeps every part the server gave', () => {
  const error = errorFrom(415, {
    error: 'unsupported type',
    detail: 'text/plain',
    code: 'unsupported',
    request_id: 'r1',
  });
  expect(error).toMatchObject({ message: 'unsupported type', detail: 'text/plain', status: 415, code: 'unsupported' });
  expect(error.requestId).toBe('r1');
});

test("a proxy's HTML error still names its status", async () => {
  answer('<h1>Bad gateway</h1>', 502);
  await expect(predict(image, signal)).rejects.toMatchObject({
    message: 'The server answered 502',
    detail: '<h1>Bad gateway</h1>',
  });
});

test('a server that is down is told apart from one that refuses', async () => {
  vi.stubGlobal('fetch', async () => {
    throw new TypeError('fetch failed');
  });
  await expect(predict(image, signal)).rejects.toMatchObject({ status: 0, code: 'unreachable' });
});

test('a status that comes with a 503 is a status, not an error', async () => {
  answer(JSON.stringify({ status: 'not_ready', reason: 'loading', uptime_seconds: 1 }), 503);
  expect((await getStatus(signal)).reason).toBe('loading');
});

test('a good status code without JSON is an error', async () => {
  answer('<html>', 200);
  await expect(getStatus(signal)).rejects.toBeInstanceOf(ApiError);
});

test('names in a path and a query are escaped, empty parameters left out', () => {
  expect(path('v1', 'models', 'a/b c', 'versions', 3)).toBe('/v1/models/a%2Fb%20c/versions/3');
  expect(withQuery('/v1/uploads', { label: 'a&b', name: undefined, split: '' })).toBe('/v1/uploads?label=a%26b');
});

function serverWithKey(right: string) {
  const sent: (string | undefined)[] = [];
  const store = new Map<string, string>();
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => store.get(name) ?? null,
    setItem: (name: string, value: string) => store.set(name, value),
    removeItem: (name: string) => store.delete(name),
  });
  vi.stubGlobal('fetch', async (_path: string, init: RequestInit) => {
    const key = (init.headers as Record<string, string>)['X-API-Key'];
    sent.push(key);
    return key === right
      ? new Response(JSON.stringify({ status: 'ready', uptime_seconds: 1 }))
      : new Response(JSON.stringify({ error: 'an API key is needed' }), { status: 401 });
  });
  return sent;
}

test('a key is asked for once, whatever number of requests want it, and then sent', async () => {
  const sent = serverWithKey('right');
  let asked = 0;
  onKeyWanted(({ reason, answer }) => {
    asked++;
    expect(reason).toBe('an API key is needed');
    setTimeout(() => answer('right'), 0);
  });
  const both = await Promise.all([getStatus(signal), getStatus(signal)]);
  expect(both.map((one) => one.status)).toEqual(['ready', 'ready']);
  expect(asked).toBe(1);
  expect(sent).toEqual([undefined, undefined, 'right', 'right']);
  expect(apiKey()).toBe('right');
  setApiKey(undefined);
});

test('who declines is left in peace by what repeats itself, and asked again by what they start', async () => {
  serverWithKey('right');
  let asked = 0;
  onKeyWanted(({ answer }) => {
    asked++;
    answer(undefined);
  });
  await expect(getStatus(signal)).rejects.toMatchObject({ status: 401 });
  await expect(getStatus(signal)).rejects.toMatchObject({ status: 401 });
  expect(asked).toBe(1);
  await expect(predict(image, signal)).rejects.toMatchObject({ status: 401, message: 'an API key is needed' });
  expect(asked).toBe(2);
});

test('a server that is asked too often is asked again when it says, but not for ever', () => {
  const refused = (after: string) => new Response('', { status: 429, headers: { 'Retry-After': after } });
  const wait = waitSeconds(refused('2'), 0);
  expect(wait).toBeGreaterThanOrEqual(2);
  expect(wait).toBeLessThanOrEqual(3);
  expect(waitSeconds(refused('2'), 3)).toBeUndefined();
  expect(waitSeconds(refused('60'), 0)).toBeUndefined();
  expect(waitSeconds(refused('soon'), 0)).toBeLessThanOrEqual(2);
  expect(waitSeconds(new Response('', { status: 503 }), 0)).toBeUndefined();
});
