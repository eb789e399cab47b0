// SPDX-License-Identifier: Apache-2.0
// Loss and accuracy over the epochs of the run that made the model.
import { TrainingCurves } from '../charts/curves';
import { hasCurves, type Curves } from '../charts/series';

export function CurvesCard({ curves }: { curves: Curves }) {
  if (!hasCurves(curves)) return null;
  return (
    <section class="card curves" aria-labelledby="curves-title">
      <h2 id="curves-title">How it learned</h2>
      <p class="muted">Training images and validation images, epoch by epoch.</p>
      <TrainingCurves curves={curves} />
    </section>
  );
}
