// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from 'vitest';
import { ApiError, errorFrom, getStatus, predict } from './api';

// Node.js 18 has no global File; a Blob with a name is all that is asked for.
const image = Object.assign(new Blob(['x']), { name: 'x.jpg' }) as File;
const { signal } = new AbortController();
const answer = (body: string, status: number) => vi.stubGlobal('fetch', async () => new Response(body, { status }));

afterEach(() => vi.unstubAllGlobals());

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
