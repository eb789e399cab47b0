// SPDX-License-Identifier: Apache-2.0
// Axis arithmetic for the line charts.

export function isValue(value: number | null | undefined): value is number {
  return Number.isFinite(value);
}

/** Round numbers that span [low, high] in about `wanted` steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, wanted = 4): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
  const out: number[] = [];
  for (let i = Math.floor(low / step); i * step < high + step * 0.999; i++)
    out.push(Number((i * step).toPrecision(12)));
  return out;
}

/** The SVG path through `values`, with a gap where one is missing. */
export function linePath(values: (number | null)[], x: (i: number) => number, y: (value: number) => number): string {
  let pen = 'M';
  let path = '';
  values.forEach((value, i) => {
    if (!isValue(value)) {
      pen = 'M';
      return;
    }
    path += `${pen}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = 'L';
  });
  return path;
}
