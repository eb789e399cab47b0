// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from 'vitest';
import { EventParser, readEvents } from './events';

afterEach(() => vi.unstubAllGlobals());

test('events come out whole, however the stream is cut', () => {
  const stream = ': hello\n\nevent: status\ndata: {"a":\ndata: 1}\n\nevent: status\r\ndata:2\r\n\r\n';
  const parser = new EventParser();
  const events = [...stream].flatMap((letter) => parser.push(letter));
  expect(events).toEqual([
    { event: 'status', data: '{"a":\n1}' },
    { event: 'status', data: '2' },
  ]);
});

test('an event without a name is a message, one without data is none', () => {
  expect(new EventParser().push('data: x\n\nevent: status\n\n:\n\n')).toEqual([{ event: 'message', data: 'x' }]);
});

test('a server without the stream says so instead of ending quietly', async () => {
  vi.stubGlobal('fetch', async () => new Response('{"error":"no such path"}', { status: 404 }));
  await expect(readEvents('/x', new AbortController().signal, () => {})).rejects.toMatchObject({
    status: 404,
    message: 'no such path',
  });
});
