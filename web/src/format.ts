// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them.

const kSpace = '\u202f'; // narrow, and never broken across lines

/** A fraction as "97.3 %". Never rounds to a certainty that is not there: "> 99.9 %", "< 0.1 %". */
export function percent(fraction: number, digits = 1): string {
  const step = 10 ** -digits;
  const value = fraction * 100;
  if (value > 0 && value < step / 2) return `<${kSpace}${step.toFixed(digits)}${kSpace}%`;
  if (value < 100 && value >= 100 - step / 2) return `>${kSpace}${(100 - step).toFixed(digits)}${kSpace}%`;
  return `${value.toFixed(digits)}${kSpace}%`;
}

/** Seconds as a latency: "0.27 ms", "12.4 ms", "1.25 s". */
export function latency(seconds: number): string {
  const ms = seconds * 1000;
  if (ms >= 1000) return `${seconds.toFixed(2)}${kSpace}s`;
  if (ms >= 100) return `${ms.toFixed(0)}${kSpace}ms`;
  return `${ms.toFixed(ms >= 10 ? 1 : 2)}${kSpace}ms`;
}

/** Seconds as a running time: "42 s", "3 min 05 s", "2 h 07 min" (`precise`: "2 h 07 min 09 s"), "3 d 4 h". */
export function duration(seconds: number, precise = false): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  const rest = precise ? ` ${two(s % 60)} s` : '';
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min${rest}`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** 10000 as "10,000". */
export function count(n: number): string {
  return Math.round(n).toLocaleString('en-US');
}

/** 621258 as "621 k", 8500000 as "8.5 M". */
export function short(n: number): string {
  const units: [number, string][] = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  // The next unit takes over where rounding would print "1000 k".
  const unit = units.find(([size]) => n >= size * 0.9995);
  if (!unit) return String(n);
  const value = n / unit[0];
  return `${value.toFixed(value < 9.95 ? 1 : 0)}${kSpace}${unit[1]}`;
}

/** Bytes as "1.4 kB". */
export function bytes(n: number): string {
  return n < 1000 ? `${n}${kSpace}B` : `${short(n)}B`;
}

/** An ISO time as "21 Nov 2026, 04:44" in the reader's zone; anything else unchanged. */
export function when(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  return time.toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });
}

/** A model's version as the registry counts them: 3 and "3" as "v3", "1.2.0-rc" unchanged. */
export function versionName(version: number | string): string {
  return /^\d+$/.test(String(version)) ? `v${version}` : String(version);
}
