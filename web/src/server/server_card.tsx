// SPDX-License-Identifier: Apache-2.0
// How the server is doing: uptime, requests, latency.
import { count, latency, percent } from '../format';
import type { ServerState } from './server_state';
import { Uptime } from './status_pill';

export function ServerCard({ server }: { server: ServerState }) {
  const requests = server.status.data?.requests;
  if (!requests) return null;
  return (
    <section class="card" aria-labelledby="server-title">
      <h2 id="server-title">Server</h2>
      <dl class="stats">
        <div>
          <dt>Uptime</dt>
          <dd class="nums">
            <Uptime status={server.status} precise />
          </dd>
        </div>
        <div>
          <dt>Average latency</dt>
          <dd class="nums">{requests.total > 0 ? latency(requests.average_latency_seconds) : '–'}</dd>
        </div>
        <div>
          <dt>Predictions</dt>
          <dd class="nums">{count(requests.predictions)}</dd>
        </div>
        <div>
          <dt>Requests</dt>
          <dd class="nums">
            {count(requests.total)}
            {requests.errors > 0 && (
              <small>
                {count(requests.errors)} refused or failed ({percent(requests.errors / requests.total)})
              </small>
            )}
          </dd>
        </div>
      </dl>
    </section>
  );
}
