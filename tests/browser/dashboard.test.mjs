// SPDX-License-Identifier: Apache-2.0
// Drives the dashboard of a running server in Chromium, as a person would, and holds what it shows against the API.
//
//   IMAGO_URL=http://localhost:8000 IMAGE=cat.jpg EXPECT_CLASSES=10 node --test tests/browser
//
// EXPECT_CLASSES is how many classes the model has (10 when not given). CHROMIUM names another browser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { after, before, beforeEach, afterEach, describe, test } from 'node:test';
import { launch, open, sideways, url } from './browser.mjs';

const image = process.env.IMAGE;
const expectedClasses = Number(process.env.EXPECT_CLASSES ?? 10);
assert.ok(image, 'IMAGE must name a JPEG file');

const photo = (name) => ({ name, mimeType: 'image/jpeg', buffer: readFileSync(image) });
const textFile = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello world, this is no image\n') };

let browser;
let page;
let consoleErrors;
let strayRequests;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function openDashboard(options) {
  ({ page, consoleErrors, strayRequests } = await open(browser, options));
  await page.getByText('Ready', { exact: true }).waitFor();
}

async function upload(...files) {
  await page.getByTestId('file-input').setInputFiles(files);
}

/** Label and percent of every bar, from top to bottom, as assistive technology reads them. */
async function readBars() {
  const meters = page.getByTestId('bars').getByRole('meter');
  await meters.first().waitFor();
  return meters.evaluateAll((all) =>
    all.map((meter) => ({
      label: meter.getAttribute('aria-label'),
      percent: Number(meter.getAttribute('aria-valuenow')),
    })),
  );
}

async function askApi() {
  const form = new FormData();
  form.append('file', new Blob([readFileSync(image)], { type: 'image/jpeg' }), basename(image));
  const response = await fetch(new URL('/predict', url), { method: 'POST', body: form });
  assert.equal(response.status, 200);
  return response.json();
}

const getStatus = async () =>
  (await fetch(new URL('/status', url), { headers: { Accept: 'application/json' } })).json();

function assertClose(actual, expected, tolerance, what) {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, expected ${expected}`);
}

describe('on a desktop', () => {
  beforeEach(() => openDashboard({ viewport: { width: 1280, height: 900 } }));
  afterEach(async () => {
    await page.close();
    assert.deepEqual(strayRequests, [], 'requests that left the origin');
  });

  test('an uploaded image gets the same answer as from the API, one bar a class', async () => {
    const answer = await askApi();
    await upload(image);
    const bars = await readBars();

    assert.equal(bars.length, expectedClasses);
    assertClose(
      bars.reduce((sum, bar) => sum + bar.percent, 0),
      100,
      0.1,
      'sum of the bars in percent',
    );
    assert.equal(bars[0].label, answer.prediction);
    for (const { label, percent } of bars) assertClose(percent, answer.class_probabilities[label] * 100, 0.01, label);
    assert.equal(await page.getByTestId('prediction').innerText(), answer.prediction);
    assert.match(await page.getByTestId('latency').innerText(), /\d\s(ms|s)$/);
    assert.deepEqual(consoleErrors, []);
  });

  test('the preview shows the image that was uploaded', async () => {
    await upload(image);
    const preview = page.getByAltText(`Uploaded image ${basename(image)}`);
    await preview.waitFor();
    await page.waitForFunction((img) => img.complete && img.naturalWidth > 0, await preview.elementHandle());
    assert.deepEqual(consoleErrors, []);
  });

  test('the order of the bars can be switched to class order', async () => {
    const { model } = await getStatus();
    await upload(image);
    const sorted = await readBars();
    const descending = sorted.map((bar) => bar.percent).sort((a, b) => b - a);
    assert.deepEqual(
      sorted.map((bar) => bar.percent),
      descending,
    );

    await page.getByRole('button', { name: 'Class order' }).click();
    assert.deepEqual(
      (await readBars()).map((bar) => bar.label),
      model.labels.slice(0, sorted.length),
    );
  });

  test('version, test accuracy and a running uptime are shown', async () => {
    const { model } = await getStatus();
    const shown = await page.getByTestId('model-version').innerText();
    assert.ok(shown.includes(model.name) && shown.endsWith(`v${model.version}`), shown);
    assert.equal(
      Number.parseFloat(await page.getByTestId('test-accuracy').innerText()),
      Number((model.test.accuracy * 100).toFixed(1)),
    );

    const uptime = page.getByTestId('uptime');
    const first = await uptime.innerText();
    assert.match(first, /^\d+ (s|min \d\d s|h \d\d min|d \d+ h)$/);
    if (/ s$/.test(first)) {
      await page.waitForFunction(
        (before) => document.querySelector('[data-testid=uptime]').innerText !== before,
        first,
      );
    }
    assert.deepEqual(consoleErrors, []);
  });

  test('a cell of the confusion matrix is read out under the pointer and by arrow keys', async () => {
    const { model } = await getStatus();
    const { confusion, classes } = model.test;
    await page.locator('[data-cell="1"]').hover();
    const readout = page.getByTestId('confusion-readout');
    const said = await readout.innerText();
    assert.ok(said.startsWith(confusion[0][1].toLocaleString('en-US')), said);
    assert.ok(said.includes(`${classes[0].label} taken for ${classes[1].label}`), said);

    await page.locator('svg.confusion').press('ArrowDown');
    assert.ok((await readout.innerText()).includes(`${classes[1].label} recognised`));
  });

  test('a text file is refused with the reason, and the next image still works', async () => {
    await upload(textFile);
    const error = page.getByTestId('error');
    await error.waitFor();
    assert.match(await error.innerText(), /notes\.txt[\s\S]*HTTP 4\d\d/);

    await upload(image);
    assert.equal((await readBars()).length, expectedClasses);
    // Chromium itself reports the refused request on the console; that one line is expected.
    assert.equal(consoleErrors.length, 1, consoleErrors.join('\n'));
    assert.match(consoleErrors[0], /status of 4\d\d/);
  });

  test('who is served by an imported model is offered to train one', async () => {
    const note = page.getByTestId('imported-note');
    const { model } = await getStatus();
    assert.equal(await note.count(), model.run === '' ? 1 : 0);

    await page.route('**/status', async (route) => {
      const response = await route.fetch();
      const status = await response.json();
      await route.fulfill({ response, json: { ...status, model: { ...status.model, run: '' } } });
    });
    await page.reload();
    await note.getByRole('link', { name: 'Train your own' }).click();
    await page.getByTestId('start-card').waitFor();
    assert.deepEqual(consoleErrors, []);
  });

  test('several images become a list, each with its own outcome', async () => {
    await upload(photo('one.jpg'), textFile, photo('two.jpg'));
    const rows = page.getByTestId('results').getByRole('button');
    await page.getByText('3 of 3 done, 1 refused').waitFor();
    assert.equal(await rows.count(), 3);

    await rows.filter({ hasText: 'notes.txt' }).click();
    await page.getByTestId('error').waitFor();
    await rows.filter({ hasText: 'two.jpg' }).press('Enter');
    assert.equal((await readBars()).length, expectedClasses);
  });

  test('an image pasted from the clipboard or dropped on the page is classified', async () => {
    const base64 = readFileSync(image).toString('base64');
    for (const kind of ['paste', 'drop']) {
      await page.evaluate(
        ([event, data]) => {
          const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], `${event}.jpg`, { type: 'image/jpeg' }));
          window.dispatchEvent(
            event === 'paste'
              ? new ClipboardEvent('paste', { clipboardData: transfer })
              : new DragEvent('drop', { dataTransfer: transfer, cancelable: true }),
          );
        },
        [kind, base64],
      );
      await page
        .getByRole('article', { name: `Result for ${kind}.jpg` })
        .getByTestId('prediction')
        .waitFor();
    }
    assert.deepEqual(consoleErrors, []);
  });
});

for (const colorScheme of ['light', 'dark']) {
  test(`on a phone, ${colorScheme}: nothing scrolls sideways`, async () => {
    await openDashboard({ viewport: { width: 400, height: 800 }, colorScheme, hasTouch: true });
    assert.equal(await sideways(page), 0);
    await upload(photo('photo-with-a-rather-long-file-name-for-a-phone.jpg'), textFile);
    await page.getByText('2 of 2 done, 1 refused').waitFor();
    assert.equal((await readBars()).length, expectedClasses);
    assert.equal(await sideways(page), 0);
    assert.deepEqual(strayRequests, []);
    await page.close();
  });
}
