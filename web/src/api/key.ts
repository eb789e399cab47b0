// SPDX-License-Identifier: Apache-2.0
// The API key of this visit: asked for when the server wants one, kept until the browser tab closes.

const kName = 'imago-api-key';

export interface KeyRequest {
  /** Why it is asked for: the server's own words. */
  reason: string;
  answer: (key: string | undefined) => void;
}

type Prompt = (request: KeyRequest) => void;

let prompt: Prompt | undefined;
let pending: Promise<string | undefined> | undefined;
let declined = false;

/** The key of this visit, or undefined. */
export function apiKey(): string | undefined {
  try {
    return sessionStorage.getItem(kName) ?? undefined;
  } catch {
    return undefined; // storage is switched off
  }
}

export function setApiKey(key: string | undefined): void {
  declined = false;
  try {
    if (key) sessionStorage.setItem(kName, key);
    else sessionStorage.removeItem(kName);
  } catch {
    // Without storage the key is asked for again.
  }
}

/** Who shows the question; undefined to take it away. */
export function onKeyWanted(show: Prompt | undefined): void {
  prompt = show;
}

/**
 * The key to send in place of `refused`, asking the reader if need be; undefined when there is none to be had. Requests
 * that fail together share one question, and after a refusal to answer nothing is asked until `again`.
 */
export function wantKey(refused: string | undefined, reason: string, again = false): Promise<string | undefined> {
  const known = apiKey();
  if (known && known !== refused) return Promise.resolve(known);
  if (pending) return pending;
  const show = prompt;
  if (!show || (declined && !again)) return Promise.resolve(undefined);
  pending = new Promise<string | undefined>((resolve) => {
    show({ reason, answer: resolve });
  }).then((key) => {
    pending = undefined;
    if (key) setApiKey(key);
    else declined = true;
    return key;
  });
  return pending;
}

export function keyHeader(key = apiKey()): Record<string, string> {
  return key ? { 'X-API-Key': key } : {};
}
