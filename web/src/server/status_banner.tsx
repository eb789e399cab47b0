// SPDX-License-Identifier: Apache-2.0
// Says in words why nothing can be predicted right now, and what to do about it.
import type { Status } from '../api/server';
import { Hourglass, Warning } from '../ui/icons';
import type { Polled } from '../poll';

export function StatusBanner({ status }: { status: Polled<Status> }) {
  if (status.error) {
    return (
      <div class="banner banner-bad" role="alert">
        <Warning />
        <div>
          <strong>{status.error.message}</strong>
          <p>
            {status.data ? 'What you see below is its last answer. ' : ''}
            This page asks again every few seconds. If the server was stopped, start it with <code>imago serve</code>.
          </p>
        </div>
      </div>
    );
  }
  if (status.data?.status !== 'not_ready') return null;
  return (
    <div class="banner banner-wait" role="status">
      <Hourglass />
      <div>
        <strong>Not ready to predict</strong>
        <p class="reason">{status.data.reason ?? 'The model is being loaded and tested.'}</p>
        <p>
          {status.data.model
            ? 'A model serves only after it has reproduced its stored answers on its golden images.'
            : 'There is no model to ask yet.'}{' '}
          This page carries on by itself once the server is ready.
        </p>
      </div>
    </div>
  );
}
