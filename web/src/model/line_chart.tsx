// SPDX-License-Identifier: Apache-2.0
// A small line chart over epochs: a training and a validation series, read by pointer or arrow keys.
import { useState } from 'preact/hooks';
import type { History } from '../api/server';
import { isValue, linePath, ticks } from './scale';

export interface Series {
  name: string;
  /** Which colour of the two. */
  tone: 'train' | 'val';
  values: History;
}

const kWidth = 360;
const kHeight = 170;
const kLeft = 38;
const kRight = 10;
const kTop = 8;
const kBottom = 22;

interface Props {
  title: string;
  series: Series[];
  format: (value: number) => string;
}

export function LineChart({ title, series, format }: Props) {
  const [active, setActive] = useState<number>();
  const drawn = series.filter((one) => one.values.some(isValue));
  const epochs = Math.max(...drawn.map((one) => one.values.length));
  const finite = drawn.flatMap((one) => one.values.filter(isValue));
  if (finite.length === 0) return null;
  const marks = ticks(Math.min(...finite), Math.max(...finite));
  const low = marks[0] ?? 0;
  const high = Math.max(marks.at(-1) ?? 1, low + 1e-9);
  const x = (i: number) => kLeft + (epochs > 1 ? i / (epochs - 1) : 0.5) * (kWidth - kLeft - kRight);
  const y = (value: number) => kTop + (1 - (value - low) / (high - low)) * (kHeight - kTop - kBottom);
  const shown = active ?? epochs - 1;
  const clamp = (i: number) => Math.min(epochs - 1, Math.max(0, i));

  const onPointerMove = (event: PointerEvent) => {
    const box = (event.currentTarget as SVGElement).getBoundingClientRect();
    const position = ((event.clientX - box.left) / box.width) * kWidth;
    setActive(clamp(Math.round(((position - kLeft) / (kWidth - kLeft - kRight)) * (epochs - 1))));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    setActive(clamp(shown + by));
  };

  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        <span class="muted nums">epoch {shown + 1}</span>
        <span class="legends">
          {drawn.map((one) => (
            <span key={one.name} class={`legend legend-${one.tone} nums`}>
              {one.name} {format(one.values[shown] ?? NaN)}
            </span>
          ))}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${kWidth} ${kHeight}`}
        role="img"
        aria-label={`${title} over ${epochs} epochs. Use the left and right arrow keys to read it.`}
        tabIndex={0}
        onPointerMove={onPointerMove}
        onPointerLeave={() => setActive(undefined)}
        onKeyDown={onKeyDown}
      >
        {marks.map((mark) => (
          <g key={mark} class="grid">
            <line x1={kLeft} x2={kWidth - kRight} y1={y(mark)} y2={y(mark)} />
            <text x={kLeft - 6} y={y(mark) + 3.5} text-anchor="end">
              {format(mark)}
            </text>
          </g>
        ))}
        <g class="grid">
          <text x={x(0)} y={kHeight - 5} text-anchor={epochs > 1 ? 'start' : 'middle'}>
            1
          </text>
          {epochs > 1 && (
            <text x={x(epochs - 1)} y={kHeight - 5} text-anchor="end">
              {epochs}
            </text>
          )}
        </g>
        <line class="crosshair" x1={x(shown)} x2={x(shown)} y1={kTop} y2={kHeight - kBottom} />
        {drawn.map((one) => {
          const value = one.values[shown];
          return (
            <g key={one.name} class={`line line-${one.tone}`}>
              <path d={linePath(one.values, x, y)} />
              {isValue(value) && <circle cx={x(shown)} cy={y(value)} r={3.5} />}
            </g>
          );
        })}
      </svg>
    </figure>
  );
}
