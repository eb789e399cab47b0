// SPDX-License-Identifier: Apache-2.0
// Server-sent events over fetch: EventSource cannot send an API key.
import { errorFrom, fetchWithKey, parseBody, unreachable } from './client';

export interface ServerEvent {
  event: string;
  data: string;
}

/** Cuts a text/event-stream into events as its pieces come. Comments and fields that are not used are skipped. */
export class EventParser {
  private rest = '';

  /** The events that `piece` completes. */
  push(piece: string): ServerEvent[] {
    this.rest += piece;
    const events: ServerEvent[] = [];
    for (;;) {
      const end = /\r?\n\r?\n/.exec(this.rest);
      if (!end) return events;
      const event = parseBlock(this.rest.slice(0, end.index));
      this.rest = this.rest.slice(end.index + end[0].length);
      if (event) events.push(event);
    }
  }
}

function parseBlock(block: string): ServerEvent | undefined {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  return data.length > 0 ? { event, data: data.join('\n') } : undefined;
}

/** Hands every event of `path` to `onEvent` until the server ends the stream; throws an ApiError when it cannot be had. */
export async function readEvents(
  path: string,
  signal: AbortSignal,
  onEvent: (event: ServerEvent) => void,
): Promise<void> {
  const response = await fetchWithKey(path, { signal, headers: { Accept: 'text/event-stream' } });
  const streams = response.headers.get('Content-Type')?.startsWith('text/event-stream');
  if (!response.ok || !streams || !response.body)
    throw errorFrom(response.status, parseBody(path, response.status, await response.text()).body);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.push(value).forEach(onEvent);
    }
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw unreachable();
  }
}
