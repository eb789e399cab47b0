// SPDX-License-Identifier: Apache-2.0
// Asks for the API key when the server wants one.
import { useEffect, useState } from 'preact/hooks';
import { onKeyWanted, type KeyRequest } from '../api/key';
import { Dialog } from '../ui/dialog';

export function KeyDialog() {
  const [request, setRequest] = useState<KeyRequest>();
  const [key, setKey] = useState('');
  useEffect(() => {
    onKeyWanted(setRequest);
    return () => onKeyWanted(undefined);
  }, []);
  if (!request) return null;
  const answer = (value: string | undefined) => {
    setRequest(undefined);
    setKey('');
    request.answer(value);
  };
  return (
    <Dialog title="API key" confirm="Continue" onConfirm={() => answer(key.trim())} onCancel={() => answer(undefined)}>
      <p class="muted reason">{request.reason}</p>
      <label class="field">
        <span>Key</span>
        <input
          type="password"
          name="api-key"
          autocomplete="off"
          spellcheck={false}
          required
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </label>
      <p class="muted caption">It stays in this browser tab until the tab is closed, and goes to this server only.</p>
    </Dialog>
  );
}
