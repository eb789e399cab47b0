// SPDX-License-Identifier: Apache-2.0
// Loss and accuracy over the epochs of the run that made the model.
import type { Metrics } from '../api';
import { LineChart } from './line_chart';

const fixed = (digits: number) => (value: number) => (Number.isFinite(value) ? value.toFixed(digits) : '–');

export function CurvesCard({ metrics }: { metrics: Metrics }) {
  const { loss, val_loss, accuracy, val_accuracy } = metrics;
  if (loss.length + val_loss.length + accuracy.length + val_accuracy.length === 0) return null;
  return (
    <section class="card curves" aria-labelledby="curves-title">
      <h2 id="curves-title">How it learned</h2>
      <p class="muted">Training images and validation images, epoch by epoch.</p>
      {accuracy.length + val_accuracy.length > 0 && (
        <LineChart
          title="Accuracy"
          format={fixed(2)}
          series={[
            { name: 'training', tone: 'train', values: accuracy },
            { name: 'validation', tone: 'val', values: val_accuracy },
          ]}
        />
      )}
      {loss.length + val_loss.length > 0 && (
        <LineChart
          title="Loss"
          format={fixed(2)}
          series={[
            { name: 'training', tone: 'train', values: loss },
            { name: 'validation', tone: 'val', values: val_loss },
          ]}
        />
      )}
    </section>
  );
}
