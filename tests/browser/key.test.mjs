// SPDX-License-Identifier: Apache-2.0
// A server that wants an API key: the dashboard asks once, keeps it for the browser tab, and shows what it opens.
//
//   IMAGO_URL=http://localhost:8000 IMAGO_KEY=imago_... IMAGE=cat.jpg node --test tests/browser/key.test.mjs
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open } from './browser.mjs';

const { IMAGO_KEY: key, IMAGE: image } = process.env;
assert.ok(key && image, 'IMAGO_KEY and IMAGE must be set');

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('a key is asked for once, kept for the tab, and sent with predictions, lists and images', async () => {
  const { page, strayRequests } = await open(browser, {}, '#/data');
  await page.getByRole('dialog').getByLabel('Key').fill(key);
  await page.getByRole('dialog').getByRole('button', { name: 'Continue' }).click();
  await page.getByTestId('class-count').waitFor();
  const sample = page.getByTestId('samples').locator('img').first();
  await page.waitForFunction((img) => img.complete && img.naturalWidth > 0, await sample.elementHandle());
  assert.match(await sample.getAttribute('src'), /^blob:/);

  await page.reload();
  await page.getByTestId('class-count').waitFor();
  await page.getByRole('link', { name: 'Predict', exact: true }).click();
  await page.getByTestId('file-input').setInputFiles(image);
  await page.getByTestId('prediction').waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.deepEqual(strayRequests, []);
  await page.close();
});

test('who has no key is told so, and asked again when they start something', async () => {
  const { page } = await open(browser);
  await page.getByTestId('file-input').setInputFiles(image);
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  assert.match(await page.getByTestId('error').innerText(), /key[\s\S]*HTTP 401/i);
  await page.getByTestId('file-input').setInputFiles(image);
  await page.getByRole('dialog').getByLabel('Key').fill(key);
  await page.keyboard.press('Enter');
  await page.getByTestId('prediction').waitFor();
  await page.close();
});
