// SPDX-License-Identifier: Apache-2.0
// What the dashboard knows about the server, asked for in one place and handed down to the pages.
import { getMetrics, getStatus, type Metrics, type Status } from '../api/server';
import { usePolling, type Polled } from '../poll';

export interface ServerState {
  status: Polled<Status>;
  metrics: Polled<Metrics>;
}

export function useServerState(): ServerState {
  return { status: usePolling(getStatus, 5000), metrics: usePolling(getMetrics, 30000) };
}
