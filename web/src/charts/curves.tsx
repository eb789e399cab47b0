// SPDX-License-Identifier: Apache-2.0
// Accuracy and loss over the epochs, on training and validation images.
import { LineChart } from './line_chart';
import { hasCurves, type Curves } from './series';

const format = (value: number) => value.toFixed(2);

export function TrainingCurves({ curves }: { curves: Curves }) {
  if (!hasCurves(curves)) return null;
  const { epochs, loss, accuracy, val_loss, val_accuracy } = curves;
  return (
    <div class="curve-pair">
      {[...accuracy, ...val_accuracy].some((value) => value !== null) && (
        <LineChart
          title="Accuracy"
          format={format}
          x={epochs}
          series={[
            { name: 'training', tone: 'train', values: accuracy },
            { name: 'validation', tone: 'val', values: val_accuracy },
          ]}
        />
      )}
      {[...loss, ...val_loss].some((value) => value !== null) && (
        <LineChart
          title="Loss"
          format={format}
          x={epochs}
          series={[
            { name: 'training', tone: 'train', values: loss },
            { name: 'validation', tone: 'val', values: val_loss },
          ]}
        />
      )}
    </div>
  );
}
