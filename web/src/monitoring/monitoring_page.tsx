// SPDX-License-Identifier: Apache-2.0
// The fifth page: how the server is doing, over the last minutes and since its start.
import { useCallback, useMemo, useState } from 'preact/hooks';
import { asApiError } from '../api/client';
import { getStats, type Stats } from '../api/stats';
import { CountBars } from '../charts/count_bars';
import { LineChart } from '../charts/line_chart';
import { count, latency, percent } from '../format';
import { usePolling } from '../poll';
import type { ServerState } from '../server/server_state';
import { stateOf, Uptime } from '../server/status_pill';
import { ErrorNote } from '../ui/error_note';
import { columnsOf, labelRows, summarise } from './columns';

const kSpans: [number, string][] = [
  [300, '5 min'],
  [600, '10 min'],
  [3600, '1 h'],
];

const milliseconds = (ms: number) => latency(ms / 1000);
const perSecond = (value: number) =>
  value > 0 && value < 0.01 ? '< 0.01' : value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
const asPercent = (value: number) => `${Number(value.toFixed(2))}\u202f%`;

function Tile({ name, value, note }: { name: string; value: preact.ComponentChildren; note?: string | undefined }) {
  return (
    <div class="card figure">
      <dt>{name}</dt>
      <dd class="nums">
        {value}
        {note && <small>{note}</small>}
      </dd>
    </div>
  );
}

function Figures({ stats, server }: { stats: Stats; server: ServerState }) {
  const { data: status } = server.status;
  const { totals } = stats;
  const now = summarise(stats.points, stats.interval_seconds);
  const share = totals.total > 0 ? totals.errors / totals.total : 0;
  return (
    <dl class="figures" data-testid="figures">
      <Tile
        name="State"
        value={stateOf(server.status).word}
        note={status?.status === 'not_ready' ? status.reason : undefined}
      />
      <Tile name="Uptime" value={<Uptime status={server.status} precise />} />
      <Tile
        name="Requests"
        value={count(totals.total)}
        note={`${perSecond(now.throughput)} a second in the time shown`}
      />
      <Tile name="Predictions" value={count(totals.predictions)} />
      <Tile name="Errors" value={count(totals.errors)} note={`${percent(share)} of all requests`} />
      <Tile
        name="Average latency"
        value={totals.total > 0 ? latency(totals.average_latency_seconds) : '–'}
        note={now.worstP95 === undefined ? undefined : `worst p95 shown: ${milliseconds(now.worstP95)}`}
      />
    </dl>
  );
}

function Charts({ stats }: { stats: Stats }) {
  const columns = useMemo(() => columnsOf(stats.points), [stats.points]);
  return (
    <>
      <section class="card" aria-label="Latency">
        <LineChart
          title="Latency"
          time
          fromZero
          format={milliseconds}
          x={columns.times}
          series={[
            { name: 'p50', tone: 'val', values: columns.p50 },
            { name: 'p95', tone: 'warm', values: columns.p95 },
          ]}
        />
      </section>
      <section class="card" aria-label="Throughput">
        <LineChart
          title="Requests a second"
          time
          fromZero
          format={perSecond}
          x={columns.times}
          series={[{ name: 'all requests', tone: 'val', values: columns.throughput }]}
        />
      </section>
      <section class="card" aria-label="Error rate">
        <LineChart
          title="Error rate"
          time
          fromZero
          format={asPercent}
          x={columns.times}
          series={[{ name: 'refused or failed', tone: 'bad', values: columns.errorRate }]}
        />
      </section>
    </>
  );
}

function Predictions({ byLabel }: { byLabel: Record<string, number> }) {
  const rows = labelRows(byLabel);
  return (
    <section class="card" aria-labelledby="by-label-title">
      <h2 id="by-label-title">Predictions by class</h2>
      <p class="muted">Since the server started.</p>
      {rows.every((row) => row.counts[0] === 0) ? (
        <p class="muted">None yet.</p>
      ) : (
        <CountBars rows={rows} parts={['predictions']} label="Predictions by class" />
      )}
    </section>
  );
}

export function MonitoringPage({ server }: { server: ServerState }) {
  const [seconds, setSeconds] = useState(600);
  const load = useCallback((signal: AbortSignal) => getStats(seconds, signal), [seconds]);
  const stats = usePolling(load, 5000);
  return (
    <>
      <div class="page-head">
        <h1 class="title">Monitoring</h1>
        <div class="segmented" role="group" aria-label="Time shown">
          {kSpans.map(([span, name]) => (
            <button key={span} type="button" aria-pressed={seconds === span} onClick={() => setSeconds(span)}>
              {name}
            </button>
          ))}
        </div>
      </div>
      {stats.error && <ErrorNote error={asApiError(stats.error)} />}
      {stats.data && (
        <>
          <Figures stats={stats.data} server={server} />
          <div class="monitor">
            <Charts stats={stats.data} />
            <Predictions byLabel={stats.data.predictions_by_label} />
          </div>
        </>
      )}
      <p class="muted links">
        For machines: <a href="/metrics">/metrics</a> (JSON), <a href="/metrics/prometheus">/metrics/prometheus</a>,{' '}
        <a href="/status">/status</a>, <a href="/docs">/docs</a> (the API, to try out).
      </p>
    </>
  );
}
