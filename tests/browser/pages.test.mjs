// SPDX-License-Identifier: Apache-2.0
// The other pages of the dashboard, used as a person would: upload, label and retrain; start, watch and stop a training;
// promote and roll back; read the charts. Changes what is on the server, so it wants one of its own.
//
//   IMAGO_URL=http://localhost:8000 IMAGES=folder-of-jpegs node --test tests/browser/pages.test.mjs
//
// IMAGES has at least four JPEG files that are in no data set of the server. RECIPE names a quick one.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { api, launch, open, sideways } from './browser.mjs';

assert.ok(process.env.IMAGES, 'IMAGES must name a folder of JPEG files');
const recipe = process.env.RECIPE ?? 'improved-cnn-bn';
const images = readdirSync(process.env.IMAGES)
  .filter((name) => name.endsWith('.jpg'))
  .map((name) => join(process.env.IMAGES, name));
const kTrainingMs = 120000;

let browser;
let page;
let consoleErrors;
let strayRequests;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());
afterEach(async () => {
  await page.close();
  assert.deepEqual(strayRequests, [], 'requests that left the origin');
  assert.deepEqual(consoleErrors, []);
});

async function openTab(name, options = { viewport: { width: 1280, height: 900 } }, heading = name) {
  ({ page, consoleErrors, strayRequests } = await open(browser, options, `#/${name.toLowerCase()}`));
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
}

const card = (id) => page.getByTestId(id);
const photo = (path) => ({ name: basename(path), mimeType: 'image/jpeg', buffer: readFileSync(path) });
const upload = (...files) => page.getByTestId('upload-files').setInputFiles(files);
const uploads = async () => (await api('/v1/uploads')).body;

async function until(what, check, ms = 15000) {
  const end = performance.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    assert.ok(performance.now() < end, `not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits until something is drawn on the canvas of the chart with this title, in more than the colour of its axes. */
function drawn(title, within = page) {
  const chart = within.getByRole('img', { name: new RegExp(`^${title}:`) }).first();
  return until(`${title} to be drawn`, () =>
    chart.evaluate((holder) => {
      const canvas = holder.querySelector('canvas'); // comes after the element that holds it
      if (!canvas) return false;
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < data.length; i += 4) {
        const [r, g, b, a] = data.subarray(i, i + 4);
        if (a === 255 && Math.max(r, g, b) - Math.min(r, g, b) > 60) return true;
      }
      return false;
    }),
  );
}

/** Chromium itself reports a request that was refused on the console, at a time of its own; that one line is expected. */
async function oneRefusal(status) {
  await until('the line on the console', () => consoleErrors.length > 0);
  assert.match(consoleErrors.splice(0).join('\n'), new RegExp(`^[^\\n]*status of ${status}[^\\n]*$`));
}

describe('Data', () => {
  test('the data set is described: classes, images of each, samples that can be seen', async () => {
    const { datasets } = (await api('/v1/datasets')).body;
    const [{ name, labels, images: total }] = datasets;
    await openTab('Data');
    assert.equal(await page.getByTestId('class-count').innerText(), String(labels.length));
    const bars = card('dataset-card').getByRole('list', { name: 'Images of each class' }).getByRole('listitem');
    assert.equal(await bars.count(), labels.length);
    const counts = await bars.locator('.bar-value').allInnerTexts();
    assert.equal(
      counts.reduce((sum, text) => sum + Number(text.replaceAll(',', '')), 0),
      total,
      `images of ${name}`,
    );
    const sample = page.getByTestId('samples').locator('img').first();
    await page.waitForFunction((img) => img.complete && img.naturalWidth > 0, await sample.elementHandle());

    await page.getByLabel('Class of the samples').selectOption(labels[1]);
    await until('samples of the chosen class', async () => {
      const shown = await page.getByTestId('samples').locator('.tile-label').allInnerTexts();
      return shown.length > 0 && shown.every((label) => label === labels[1]);
    });
  });

  test('files are uploaded, refused with the reason, labelled by number key, deleted', async () => {
    await openTab('Data');
    const { labels } = await uploads();
    await upload(photo(images[0]), photo(images[1]), {
      name: 'notes.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('no image at all\n'),
    });
    await card('transfer').getByText('Upload done').waitFor();
    const outcome = await card('transfer').innerText();
    assert.match(outcome, /2 accepted, 1 refused/);
    assert.match(outcome, /notes\.txt\s+\S+/);

    const tiles = page.getByTestId('tiles').getByRole('button');
    await until('two tiles', async () => (await tiles.count()) === 2);
    await tiles.first().click();
    await page.keyboard.press('3');
    await until('the label to be kept', async () => (await uploads()).by_label[labels[2]] === 1);
    await until(
      'the next image to be chosen',
      async () => (await tiles.nth(1).getAttribute('aria-pressed')) === 'true',
    );
    await tiles.first().getByText(labels[2]).waitFor();
    await card('staged-counts').getByText('1 without a label').waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await until('one tile', async () => (await tiles.count()) === 1);
    assert.equal((await uploads()).total, 1);
  });

  test('a folder gives its name as the label, and other words for a class are reported', async () => {
    await openTab('Data');
    const folder = mkdtempSync(join(tmpdir(), 'imago-browser-'));
    mkdirSync(join(folder, 'car'));
    writeFileSync(join(folder, 'car', 'a.jpg'), readFileSync(images[2]));
    await page.getByTestId('upload-folder').setInputFiles(join(folder, 'car'));
    await card('transfer').getByText('Upload done').waitFor();
    rmSync(folder, { recursive: true }); // the browser reads the file only when it sends it
    assert.match(await card('transfer').innerText(), /“car” was taken for automobile \(1 image\)/);
    assert.equal((await uploads()).by_label.automobile, 1);
  });

  test('a drop on the page is uploaded with the label from the box', async () => {
    await openTab('Data');
    const { labels } = await uploads();
    await page.getByLabel('Label for all of them').fill(labels[0]);
    await page.evaluate((base64) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], 'dropped.jpg', { type: 'image/jpeg' }));
      const target = document.querySelector('[data-testid=upload-card]');
      target.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }, readFileSync(images[3]).toString('base64'));
    await card('transfer').getByText('Upload done').waitFor();
    assert.equal((await uploads()).by_label[labels[0]], 1);
  });

  test('what is labelled is learned: retraining starts, is followed and told', async () => {
    await openTab('Data');
    // A retraining takes the images away: one that was still to be fetched would be reported as missing.
    await until('the images to be there', () =>
      page
        .getByTestId('tiles')
        .locator('img')
        .evaluateAll((all) => all.length > 0 && all.every((one) => one.complete)),
    );
    await card('retrain-card').getByLabel('Epochs').fill('1');
    await card('retrain-card').getByRole('button', { name: 'Retrain' }).click();
    await page.getByTestId('training-progress').waitFor();
    await card('training-outcome').waitFor({ timeout: kTrainingMs });
    assert.match(await card('training-outcome').innerText(), /Training done[\s\S]* v\d+, .*right on the test images/);
    await card('staged-counts').getByText('0 images').waitFor();
  });
});

describe('Training', () => {
  test('a training is started, followed live and stopped', async () => {
    await openTab('Training');
    const { recipes } = (await api('/v1/recipes')).body;
    await until('all recipes', async () => (await page.locator('#recipes option').count()) === recipes.length);
    await page.getByLabel('Recipe').fill(recipe);
    const { description } = recipes.find((one) => one.name === recipe);
    await card('start-card').locator('small', { hasText: description }).waitFor();
    await page.getByRole('spinbutton', { name: 'Epochs' }).fill('500');
    await page.getByRole('button', { name: 'Start training' }).click();
    const live = card('live-card');
    await live.getByRole('progressbar').waitFor();
    await live.getByText('Epoch', { exact: true }).waitFor({ timeout: kTrainingMs });
    await live.getByText('Time left').waitFor({ timeout: kTrainingMs });
    const loss = () => live.locator('dt:text-is("Loss") + dd').innerText();
    const before = await loss();
    await until('the loss to move', async () => (await loss()) !== before, kTrainingMs);
    await live.getByRole('img', { name: /^Accuracy:/ }).waitFor({ timeout: kTrainingMs });
    await drawn('Accuracy', live);

    await live.getByRole('button', { name: 'Stop training' }).click();
    await live.getByText('Training stopped').waitFor({ timeout: kTrainingMs });
    await card('jobs-card').locator('.state-cancelled').first().waitFor();
    assert.equal((await api('/training-status')).body.status, 'cancelled');
  });

  test('an unknown recipe is refused in words', async () => {
    await openTab('Training');
    await page.getByLabel('Recipe').fill('no-such-recipe');
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.getByTestId('error').getByText('no-such-recipe').waitFor();
    await oneRefusal('4\\d\\d');
  });

  test('where events do not come through, the state is asked for', async () => {
    await openTab('Models');
    await page.route('**/v1/jobs/events', (route) =>
      route.fulfill({ status: 501, body: '{"error":"no events here"}' }),
    );
    await page.getByRole('link', { name: 'Training', exact: true }).click();
    await card('live-card').getByText('Training stopped').waitFor();
    await oneRefusal(501);
  });

  test('a run opens with its curves and settings', async () => {
    await openTab('Training');
    const run = card('runs-card').getByRole('button').filter({ hasText: 'finished' }).first();
    await run.click();
    await page.getByTestId('run-view').getByText('Accuracy', { exact: true }).waitFor();
    await drawn('Accuracy', page.getByTestId('run-view'));
    await page.getByTestId('run-view').getByText('Settings').click();
    await page.getByTestId('run-view').getByText('recipe.name', { exact: true }).waitFor();
  });
});

describe('Models', () => {
  test('a version shows its evidence: accuracy, classes, confusion matrix, layers, lineage', async () => {
    const { serving } = (await api('/v1/models')).body;
    const { body } = await api(`/v1/models/${serving.name}/versions/${serving.version}`);
    await openTab('Models');
    const view = page.getByTestId('version-view');
    await view.waitFor();
    const { test: measured } = body.report;
    assert.equal(
      Number.parseFloat(await view.getByTestId('test-accuracy').innerText()),
      Number((measured.accuracy * 100).toFixed(1)),
    );
    assert.equal(await view.locator('[data-cell]').count(), body.labels.length ** 2);
    await view.locator('[data-cell="1"]').click();
    const said = await view.getByTestId('confusion-readout').innerText();
    assert.ok(said.startsWith(String(measured.confusion[0][1])), said);
    assert.match(said, /%/);
    await view.getByRole('heading', { name: 'Layers' }).waitFor();
    assert.equal(await view.locator('.layers tbody tr').count(), body.layers.length);
    await view.getByRole('heading', { name: 'Lineage' }).waitFor();
    await drawn('Loss', view);
  });

  test('another version is promoted with a reason, serves, and is rolled back', async () => {
    const { models } = (await api('/v1/models')).body;
    const { name, champion, versions } = models[0];
    const other = versions.find((one) => one.version !== champion).version;
    await openTab('Models');
    await page.getByRole('button', { name: `${name} v${other}` }).click();
    await page.getByRole('button', { name: `Promote v${other}` }).click();
    await page.getByRole('dialog').getByLabel('Reason').fill('tried by hand');
    await page.getByRole('dialog').getByRole('button', { name: 'Promote' }).click();
    await card('move-card').getByText('Tried by hand').waitFor();
    assert.equal((await api('/v1/models')).body.models[0].champion, other);
    await until('it to serve', async () => (await api('/status')).body.model.version === other);
    await page.getByTestId('model-version').getByText(`${name} v${other}`).waitFor();

    await page.getByRole('button', { name: 'Roll back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await until('the rollback', async () => (await api('/v1/models')).body.models[0].champion === champion);
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });

  test('what is loaded beside the version that serves is told', async () => {
    const { name, champion, versions } = (await api('/v1/models')).body.models[0];
    await until('the champion to serve', async () => (await api('/status')).body.model.version === champion);
    const { version } = versions.find((one) => one.version !== champion);
    const button = (which) => page.getByRole('button', { name: `${name} v${which}`, exact: true });
    const row = (which) => page.locator('.versions tbody tr').filter({ has: button(which) });
    await openTab('Models');
    await row(champion).getByText('serving', { exact: true }).waitFor();
    assert.equal(await row(version).getByText('loaded', { exact: true }).count(), 0);
    const ask = (verb) =>
      api(`/v1/models/${name}/${verb}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ version }),
      });
    assert.equal((await ask('load')).status, 200);
    await row(version).getByText('loaded', { exact: true }).waitFor();
    assert.equal((await ask('unload')).status, 200);
    await row(version).getByText('loaded', { exact: true }).waitFor({ state: 'detached' });
  });

  test('a question can be left with Escape, and then nothing changes', async () => {
    const { champion, versions } = (await api('/v1/models')).body.models[0];
    const other = versions.find((one) => one.version !== champion).version;
    await openTab('Models');
    await page
      .locator('.versions')
      .getByRole('button', { name: new RegExp(` v${other}$`) })
      .press('Enter');
    await page.getByRole('button', { name: `Promote v${other}` }).press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal((await api('/v1/models')).body.models[0].champion, champion);
  });
});

describe('Monitoring', () => {
  test('predictions show in the figures, the charts and the bars', async () => {
    for (const image of [...images, ...images]) {
      const form = new FormData();
      form.append('file', new Blob([readFileSync(image)], { type: 'image/jpeg' }), 'x.jpg');
      assert.equal((await api('/predict', { method: 'POST', body: form })).status, 200);
    }
    await openTab('Monitoring');
    const { totals } = (await api('/v1/stats')).body;
    const figures = page.getByTestId('figures');
    const predictions = await figures.locator('dt:text-is("Predictions") + dd').innerText();
    assert.equal(Number(predictions.replaceAll(',', '')), totals.predictions);
    await figures.getByText('Ready', { exact: true }).waitFor();
    assert.match(await figures.innerText(), /Uptime\s+\d/);
    for (const title of ['Latency', 'Requests a second', 'Error rate']) await drawn(title);
    const bars = page.getByRole('list', { name: 'Predictions by class' }).locator('.bar-value');
    const sum = (await bars.allInnerTexts()).reduce((all, text) => all + Number(text.replaceAll(',', '')), 0);
    assert.ok(sum >= 2 * images.length, `${sum} predictions in the bars`);

    await page.getByRole('img', { name: /^Requests a second:/ }).press('ArrowLeft');
    await page.getByRole('button', { name: '1 h' }).click();
    await drawn('Requests a second');
  });
});

describe('Explanation', () => {
  test('"Why?" lays a heat map over the image, for any class and at any strength', async () => {
    await openTab('Predict', undefined, 'What is in the picture?');
    await page.getByTestId('file-input').setInputFiles(images[0]);
    await page.getByRole('button', { name: 'Why?' }).click();
    const view = page.getByTestId('explanation');
    const heat = view.locator('img.heat');
    await heat.waitFor({ timeout: 60000 });
    const scores = await view.getByTestId('faithfulness').locator('dd').allInnerTexts();
    const form = new FormData();
    form.append('file', new Blob([readFileSync(images[0])], { type: 'image/jpeg' }), 'x.jpg');
    const { faithfulness } = (await api('/v1/explain', { method: 'POST', body: form })).body;
    const { deletion, insertion } = faithfulness ?? {}; // null for a map of nothing, and then there are no scores
    assert.deepEqual(scores, faithfulness ? [deletion.toFixed(3), insertion.toFixed(3)] : []);
    const select = view.getByLabel('Class to explain');
    const chosen = await select.inputValue();
    const other = (await select.locator('option').evaluateAll((all) => all.map((one) => one.value))).find(
      (label) => label !== chosen,
    );
    await select.selectOption(other);
    await view.getByText(`“${other}”`).waitFor({ timeout: 60000 });
    await view.getByAltText(`Heat map for ${other}`).waitFor(); // not another: two classes may share a map of nothing
    await view.getByRole('slider').press('End');
    assert.equal(await heat.evaluate((img) => getComputedStyle(img).opacity), '1');
  });
});

for (const colorScheme of ['light', 'dark']) {
  test(`360 px wide, ${colorScheme}: no page scrolls sideways`, async () => {
    await openTab('Data', { viewport: { width: 360, height: 760 }, colorScheme, hasTouch: true });
    const filled = {
      Data: 'class-count',
      Training: 'runs-card',
      Models: 'version-view',
      Monitoring: 'figures',
      Predict: 'test-accuracy',
    };
    for (const [name, id] of Object.entries(filled)) {
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByTestId(id).waitFor();
      assert.equal(await sideways(page), 0, name);
    }
  });
}
