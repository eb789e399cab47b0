// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { bytes, duration, latency, percent, short, versionName } from './format';

const plain = (text: string) => text.replaceAll('\u202f', ' ');

test('a percentage never rounds to a certainty that is not there', () => {
  expect(plain(percent(0.9734))).toBe('97.3 %');
  expect(plain(percent(0.99999))).toBe('> 99.9 %');
  expect(plain(percent(0.00001))).toBe('< 0.1 %');
  expect(plain(percent(1))).toBe('100.0 %');
  expect(plain(percent(0))).toBe('0.0 %');
});

test('a latency keeps three digits whatever its size', () => {
  expect(plain(latency(0.00027))).toBe('0.27 ms');
  expect(plain(latency(0.0124))).toBe('12.4 ms');
  expect(plain(latency(0.25))).toBe('250 ms');
  expect(plain(latency(1.254))).toBe('1.25 s');
});

test('a duration names its two largest units', () => {
  expect(duration(42.9)).toBe('42 s');
  expect(duration(185)).toBe('3 min 05 s');
  expect(duration(2 * 3600 + 7 * 60)).toBe('2 h 07 min');
  expect(duration(2 * 3600 + 7 * 60 + 9, true)).toBe('2 h 07 min 09 s');
  expect(duration(3 * 86400 + 4 * 3600)).toBe('3 d 4 h');
});

test('large numbers are shortened without printing 1000 of a unit', () => {
  expect(plain(short(621258))).toBe('621 k');
  expect(plain(short(8512000))).toBe('8.5 M');
  expect(plain(short(999999))).toBe('1.0 M');
  expect(plain(short(9960))).toBe('10 k');
  expect(plain(bytes(1400))).toBe('1.4 kB');
  expect(plain(bytes(812))).toBe('812 B');
});

test('a counted version gets its v, a named one stays', () => {
  expect(versionName(3)).toBe('v3');
  expect(versionName('12')).toBe('v12');
  expect(versionName('1.2.0-rc')).toBe('1.2.0-rc');
});
