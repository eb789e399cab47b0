// SPDX-License-Identifier: Apache-2.0
// Chromium on the dashboard of a running server, and the two things that no page may do: log an error, or ask another
// host for anything.
import { chromium } from 'playwright-core';

export const url = new URL(process.env.IMAGO_URL ?? 'http://localhost:8000');

export function launch() {
  const root = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      ...(root ? ['--no-sandbox'] : []),
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}

/** The most milliseconds by which an answer comes late, by chance: finds tests that need a quick machine. */
const kLateMs = Number(process.env.LATE_MS ?? 0);

/** A page at `hash` with what it logged and which requests left the server. */
export async function open(browser, options = {}, hash = '') {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(15000);
  const consoleErrors = [];
  const strayRequests = [];
  page.on('console', (message) => message.type() === 'error' && consoleErrors.push(message.text()));
  page.on('pageerror', (error) => consoleErrors.push(String(error)));
  page.on('request', (request) => {
    const target = new URL(request.url());
    if (!['blob:', 'data:'].includes(target.protocol) && target.origin !== url.origin)
      strayRequests.push(request.url());
  });
  if (kLateMs > 0)
    await page.route('**/*', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * kLateMs));
      await route.continue().catch(() => {}); // the page may have gone meanwhile
    });
  await page.goto(new URL(hash, url).href);
  return { page, consoleErrors, strayRequests };
}

export async function api(path, init = {}) {
  const response = await fetch(new URL(path, url), {
    ...init,
    headers: { Accept: 'application/json', ...init.headers },
  });
  return { status: response.status, body: await response.json() };
}

/** How many pixels wider the page is than the window. */
export const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
