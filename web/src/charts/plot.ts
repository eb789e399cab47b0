// SPDX-License-Identifier: Apache-2.0
// How uPlot draws here: its options for our few kinds of lines, in the page's colours.
import uPlot from 'uplot';
import { lonely, type Column } from './series';

export type Tone = 'train' | 'val' | 'warm' | 'bad';

const kColours: Record<Tone, string> = { train: '--second', val: '--accent', warm: '--miss', bad: '--bad' };

export interface PlotLook {
  tones: Tone[];
  /** The x values are seconds since 1970; else they are whole numbers such as epochs. */
  time: boolean;
  /** The y axis begins at 0. */
  fromZero: boolean;
  format: (value: number) => string;
  onCursor: (index: number | undefined) => void;
}

const clock = (seconds: number) =>
  new Date(seconds * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

/** "4.00 ms" as "4 ms": an axis needs no digits that say nothing. */
const bare = (text: string) => text.replace(/(\.\d*?)0+(?!\d)/, '$1').replace(/\.(?!\d)/, '');

function xAxis(look: PlotLook, base: uPlot.Axis): uPlot.Axis {
  if (look.time) return { ...base, space: 64, values: (_plot, marks) => marks.map(clock) };
  const whole = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
  return { ...base, incrs: whole, space: 34, values: (_plot, marks) => marks.map(String) };
}

/** Zero to a little over the largest value; a flat line of zeros still gets an axis. */
const zeroToMost: uPlot.Range.Function = (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1];

/** The range of the data and a little more, whatever its size. */
const aroundData: uPlot.Range.Function = (_plot, low, high) => {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
};

/** One value alone gets room on both sides. */
const aroundX: uPlot.Range.Function = (_plot, low, high) => (low === high ? [low - 1, high + 1] : [low, high]);

/** Where lines are too dense for points, those that no line would show. */
const alone: uPlot.Series.Points.Filter = (plot, series, show) =>
  show ? null : lonely((plot.data[series] ?? []) as Column);

export function plotOptions(look: PlotLook, colour: (name: string) => string, width: number, height: number) {
  const axis: uPlot.Axis = {
    stroke: colour('--muted'),
    font: `11px ${colour('--sans')}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    gap: 6,
  };
  const options: uPlot.Options = {
    width,
    height,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    scales: {
      x: { time: look.time, range: aroundX },
      y: { range: look.fromZero ? zeroToMost : aroundData },
    },
    axes: [
      { ...xAxis(look, axis), size: 26, grid: { show: false } },
      { ...axis, size: 48, space: 32, values: (_plot, marks) => marks.map((mark) => bare(look.format(mark))) },
    ],
    cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { size: 7 } },
    series: [
      {},
      ...look.tones.map((tone) => ({
        stroke: colour(kColours[tone]),
        width: 2,
        points: { size: 5, fill: colour(kColours[tone]), filter: alone },
      })),
    ],
    hooks: { setCursor: [(plot) => look.onCursor(plot.cursor.idx ?? undefined)] },
  };
  return options;
}
