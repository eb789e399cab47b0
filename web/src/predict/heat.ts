// SPDX-License-Identifier: Apache-2.0
// A heat map as a transparent image, so that its strength can be changed without asking the server again.

/** Transparent, then violet, orange and yellow: told apart by lightness too, for readers who see no hues. */
const kStops: [number, [number, number, number, number]][] = [
  [0, [76, 29, 149, 0]],
  [0.35, [126, 34, 206, 150]],
  [0.65, [234, 88, 12, 215]],
  [1, [253, 224, 71, 255]],
];

/** Red, green, blue, alpha, 0 to 255, for a value from 0 to 1. */
export function heatColour(value: number): [number, number, number, number] {
  const v = Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
  const next = Math.max(
    1,
    kStops.findIndex(([at]) => v <= at),
  );
  const [lowAt, low] = kStops[next - 1]!;
  const [highAt, high] = kStops[next]!;
  const t = (v - lowAt) / (highAt - lowAt);
  return low.map((from, i) => Math.round(from + (high[i]! - from) * t)) as [number, number, number, number];
}

/** RGBA bytes of `rows` of equal length. */
export function heatPixels(rows: number[][]): {
  width: number;
  height: number;
  pixels: Uint8ClampedArray<ArrayBuffer>;
} {
  const height = rows.length;
  const width = rows[0]?.length ?? 0;
  const pixels = new Uint8ClampedArray(width * height * 4);
  rows.forEach((row, y) => row.forEach((value, x) => pixels.set(heatColour(value), (y * width + x) * 4)));
  return { width, height, pixels };
}

/** A data URL of the heat map, one pixel a value: the browser smooths it when it is enlarged. */
export function heatOverlay(rows: number[][]): string | undefined {
  const { width, height, pixels } = heatPixels(rows);
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context || width === 0) return undefined;
  context.putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas.toDataURL();
}
