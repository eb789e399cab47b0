// SPDX-License-Identifier: Apache-2.0
// The page of an evaluation, opened from disk.
//
//   REPORT=report.html node --test tests/browser/report.test.mjs
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { launch } from './browser.mjs';

assert.ok(process.env.REPORT, 'REPORT must name the page');
const address = pathToFileURL(resolve(process.env.REPORT)).href;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function open(options) {
  const page = await browser.newPage(options);
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('request', (request) => /^(file|data):/.test(request.url()) || complaints.push(request.url()));
  await page.goto(address);
  return { page, complaints };
}

const brightness = (page) =>
  page.evaluate(() => Number(getComputedStyle(document.body).backgroundColor.match(/\d+/)[0]));

test('a report asks nobody for anything, and a click on a number shows its images', async () => {
  const { page, complaints } = await open({ viewport: { width: 1200, height: 900 } });
  const view = page.locator('.view:visible');
  assert.equal(await view.count(), 0);
  const number = page.locator('.matrix td:not(.right) a').first();
  const count = Number(await number.textContent());
  await number.click();
  assert.equal(await view.count(), 1);
  assert.equal(await view.locator('figure').count(), Math.min(8, count));
  const loaded = await view.locator('img').evaluateAll((images) => images.every((image) => image.naturalWidth > 0));
  assert.ok(loaded, 'every image is there');
  await view.getByRole('link', { name: 'close' }).click();
  assert.equal(await view.count(), 0);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the worst errors show where the network looked, for what it said and for the truth', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const { page, complaints } = await open({ colorScheme, viewport: { width: 1200, height: 900 } });
    const figures = page.locator('#errors figure.explained');
    assert.ok((await figures.count()) > 0);
    const loaded = await figures.evaluateAll((all) =>
      all.every((one) => {
        const images = [...one.querySelectorAll('img')];
        const tops = new Set(images.map((image) => image.getBoundingClientRect().top));
        return images.length === 3 && tops.size === 1 && images.every((image) => image.naturalWidth > 0);
      }),
    );
    assert.ok(loaded, 'the image and two maps, side by side');
    const said = await figures.first().locator('.said').first().textContent();
    const named = await figures.first().locator('.for').allTextContents();
    assert.ok(said.includes(named[0].replace('for ', '')), `${said}: ${named}`);
    assert.equal(named[1].replace('for ', ''), await figures.first().locator('strong').textContent());
    assert.deepEqual(complaints, []);
    await page.close();
  }
});

test('a report is light or dark as the reader likes, and light on paper', async () => {
  const light = await open({ colorScheme: 'light' });
  const dark = await open({ colorScheme: 'dark' });
  assert.ok((await brightness(light.page)) > 200);
  assert.ok((await brightness(dark.page)) < 60);
  await dark.page.emulateMedia({ media: 'print' });
  assert.ok((await brightness(dark.page)) > 200);
  await light.page.close();
  await dark.page.close();
});

test('a report fits a telephone', async () => {
  const { page } = await open({ viewport: { width: 400, height: 800 } });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 400);
  await page.close();
});
