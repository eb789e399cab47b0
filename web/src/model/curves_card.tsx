// SPDX-License-Identifier: Apache-2.0
// Loss and accuracy over the epochs of the run that made the model.
import type { Metrics } from '../api/server';
import { LineChart } from './line_chart';
import { isValue } from './scale';

const format = (value: number) => (isValue(value) ? value.toFixed(2) : '–');

export function CurvesCard({ metrics }: { metrics: Metrics }) {
  const { loss, val_loss, accuracy, val_accuracy } = metrics;
  if (![...loss, ...val_loss, ...accuracy, ...val_accuracy].some(isValue)) return null;
  return (
    <section class="card curves" aria-labelledby="curves-title">
      <h2 id="curves-title">How it learned</h2>
      <p class="muted">Training images and validation images, epoch by epoch.</p>
      <LineChart
        title="Accuracy"
        format={format}
        series={[
          { name: 'training', tone: 'train', values: accuracy },
          { name: 'validation', tone: 'val', values: val_accuracy },
        ]}
      />
      <LineChart
        title="Loss"
        format={format}
        series={[
          { name: 'training', tone: 'train', values: loss },
          { name: 'validation', tone: 'val', values: val_loss },
        ]}
      />
    </section>
  );
}
