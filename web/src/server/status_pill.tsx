// SPDX-License-Identifier: Apache-2.0
// The one-glance state at the top right: ready or not, which model, since when.
import type { Status } from '../api/server';
import { duration, versionName } from '../format';
import { useClock, type Polled } from '../poll';

export function stateOf({ data, error }: Polled<Status>): { tone: string; word: string } {
  if (error) return { tone: 'bad', word: 'No connection' };
  if (!data) return { tone: 'wait', word: 'Connecting' };
  return data.status === 'ready' ? { tone: 'good', word: 'Ready' } : { tone: 'wait', word: 'Not ready' };
}

/** Seconds since the server started: its own count, carried on by our clock between answers. */
export function Uptime({ status, precise = false }: { status: Polled<Status>; precise?: boolean }) {
  const now = useClock(1000);
  if (!status.data) return <>–</>;
  if (status.error) return <>{duration(status.data.uptime_seconds, precise)}</>;
  return <>{duration(status.data.uptime_seconds + Math.max(0, now - status.receivedAt) / 1000, precise)}</>;
}

export function StatusPill({ status }: { status: Polled<Status> }) {
  const { tone, word } = stateOf(status);
  const model = status.data?.model;
  return (
    <div class="pill">
      <span class={`dot dot-${tone}`} aria-hidden="true" />
      <strong role="status">{word}</strong>
      {model && (
        <span class="pill-model" data-testid="model-version">
          {model.name} {versionName(model.version)}
        </span>
      )}
      {status.data && (
        <span class="pill-uptime">
          up{' '}
          <span data-testid="uptime">
            <Uptime status={status} />
          </span>
        </span>
      )}
    </div>
  );
}
