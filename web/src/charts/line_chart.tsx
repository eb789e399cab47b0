// SPDX-License-Identifier: Apache-2.0
// Lines over epochs or over time, drawn by uPlot; the figures are read by pointer or arrow keys and stand in words
// above the picture.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { plotOptions, type Tone } from './plot';
import { isValue, lastKnown, type Column } from './series';

export interface Series {
  name: string;
  tone: Tone;
  values: Column;
}

interface Props {
  title: string;
  /** Ascending: epochs, or seconds since 1970 when `time`. */
  x: number[];
  series: Series[];
  format: (value: number) => string;
  time?: boolean;
  fromZero?: boolean;
}

const kHeight = 170;

/** Counts the changes between light and dark: a canvas does not follow CSS. */
function useScheme(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const query = window.matchMedia('(prefers-color-scheme: dark)');
    const count = () => setChanges((n) => n + 1);
    query.addEventListener('change', count);
    return () => query.removeEventListener('change', count);
  }, []);
  return changes;
}

function usePlot(props: Props, drawn: Series[], onCursor: (index: number | undefined) => void) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const scheme = useScheme();
  const data: uPlot.AlignedData = [props.x, ...drawn.map((one) => one.values)];
  const tones = drawn.map((one) => one.tone).join();

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const style = getComputedStyle(document.documentElement);
    const look = {
      tones: drawn.map((one) => one.tone),
      time: props.time ?? false,
      fromZero: props.fromZero ?? false,
      format: props.format,
      onCursor,
    };
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const made = new uPlot(plotOptions(look, colour, element.clientWidth, kHeight), data, element);
    plot.current = made;
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: kHeight }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.current = undefined;
    };
    // The data is handed over below; only what uPlot cannot change builds it anew.
  }, [tones, scheme, props.time, props.fromZero, props.format, onCursor]);

  useEffect(() => plot.current?.setData(data), [props.x, ...drawn.map((one) => one.values)]);
  return { holder, plot };
}

const kClock: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit' };

export function LineChart(props: Props) {
  const { title, x, series, format, time = false } = props;
  const [active, setActive] = useState<number>();
  const drawn = series.filter((one) => one.values.some(isValue));
  const { holder, plot } = usePlot(props, drawn, setActive);
  const last = x.length - 1;
  const columns = drawn.map((one) => one.values);
  const shown = Math.min(active ?? lastKnown(columns, x.length), last);
  const at = x[shown] ?? 0;
  const where = time ? new Date(at * 1000).toLocaleTimeString('en-GB', kClock) : `epoch ${at}`;

  const names = drawn.map((one) => one.name).join(' and ');
  const span = time ? `${x.length} points in time` : `${x.length} ${x.length === 1 ? 'epoch' : 'epochs'}`;

  const onKeyDown = (event: KeyboardEvent) => {
    const next = { ArrowLeft: shown - 1, ArrowRight: shown + 1, Home: 0, End: last }[event.key];
    if (next === undefined || !plot.current) return;
    event.preventDefault();
    const index = Math.min(last, Math.max(0, next));
    plot.current.setCursor({ left: plot.current.valToPos(x[index] ?? 0, 'x'), top: 0 });
    setActive(index);
  };

  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        {x.length > 0 && <span class="muted nums">{where}</span>}
        <span class="legends" aria-live={active === undefined ? 'off' : 'polite'}>
          {drawn.map((one) => {
            const value = one.values[shown];
            return (
              <span key={one.name} class={`legend legend-${one.tone} nums`}>
                {one.name} {isValue(value) ? format(value) : '–'}
              </span>
            );
          })}
        </span>
      </figcaption>
      <div
        ref={holder}
        class="plot"
        role="img"
        aria-label={`${title}: ${names} over ${span}. Use the left and right arrow keys to read it.`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onBlur={() => setActive(undefined)}
      />
    </figure>
  );
}
