// SPDX-License-Identifier: Apache-2.0
// Opens /docs of a running server in Chromium and tries requests on it, as a person would.
//
//   IMAGO_URL=http://localhost:8000 IMAGE=cat.jpg node --test tests/browser/documentation.test.mjs
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const url = new URL(process.env.IMAGO_URL ?? 'http://localhost:8000');
const complaints = [];
let browser;
let page;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-background-networking', '--no-first-run'],
  });
  page = await browser.newPage();
  page.setDefaultTimeout(15000);
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const target = new URL(request.url());
    if (!['blob:', 'data:'].includes(target.protocol) && target.origin !== url.origin) complaints.push(request.url());
  });
  await page.goto(new URL('/docs', url).href);
  await page.locator('.opblock').first().waitFor();
});
after(() => browser?.close());

async function open(operation) {
  const block = page.locator(`#operations-${operation}`);
  await block.locator('.opblock-summary-control').first().click();
  return block;
}

test('shows every operation of the description', async () => {
  const description = await (await fetch(new URL('/openapi.json', url))).json();
  const operations = Object.values(description.paths).flatMap((item) => Object.keys(item));
  assert.equal(await page.locator('.opblock').count(), operations.length);
});

test('tries a request and shows its answer', async () => {
  const block = await open('Server-health');
  await block.locator('button.execute').click();
  const answer = block.locator('.live-responses-table tbody .response-col_description').first();
  await answer.getByText('"status"').waitFor();
});

test('classifies an image that is chosen as a file', async () => {
  const block = await open('Prediction-predict');
  await block.locator('input[type=file]').setInputFiles(process.env.IMAGE);
  await block.locator('button.execute').click();
  const answer = block.locator('.live-responses-table tbody .response-col_description').first();
  await answer.getByText('"predicted_class"').waitFor();
});

test('loads nothing from elsewhere and breaks no policy', () => assert.deepEqual(complaints, []));
