// SPDX-License-Identifier: Apache-2.0
// A model with limits: the dashboard says beside the class when an answer is not to be relied on, and what the limits are.
//
//   IMAGO_URL=http://localhost:8000 IMAGE=cat.jpg node --test tests/browser/abstention.test.mjs
//
// The model that serves has limits under which it abstains from IMAGE.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { api, launch, open, sideways } from './browser.mjs';

const { IMAGE: image } = process.env;
assert.ok(image, 'IMAGE must name a JPEG file');

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const colorScheme of ['light', 'dark'])
  test(`an answer below the limit says so in words, ${colorScheme}`, async () => {
    const options = { viewport: { width: 360, height: 760 }, colorScheme };
    const { page, consoleErrors, strayRequests } = await open(browser, options);
    await page.getByTestId('file-input').setInputFiles([image, image]);
    await page.getByTestId('doubt').getByText('Not sure: below the model’s limit').waitFor();
    await page.getByTestId('prediction').waitFor(); // the class is named all the same
    assert.equal(await page.getByText('unsure', { exact: true }).count(), 0);
    await page.getByTestId('results').getByText('not sure').nth(1).waitFor();
    assert.equal(await sideways(page), 0);
    assert.deepEqual([consoleErrors, strayRequests], [[], []]);
    await page.close();
  });

test('an image unlike those of training is told from an unsure answer', async () => {
  const form = new FormData();
  form.append('file', new Blob([readFileSync(image)], { type: 'image/jpeg' }), 'x.jpg');
  const { body } = await api('/predict', { method: 'POST', body: form });
  assert.equal(body.abstained_because, 'confidence');
  const { page } = await open(browser);
  await page.route('**/predict', (route) => route.fulfill({ json: { ...body, abstained_because: 'energy' } }));
  await page.getByTestId('file-input').setInputFiles(image);
  await page.getByTestId('doubt').getByText('Not sure: unlike the images it learned from').waitFor();
  await page.close();
});

test('the models page names the limits of a version', async () => {
  const { serving } = (await api('/v1/models')).body;
  const { abstention } = (await api(`/v1/models/${serving.name}/versions/${serving.version}`)).body;
  const { page } = await open(browser, {}, '#/models');
  const limit = (name) => page.getByTestId('version-view').locator(`dt:text-is("${name}") + dd`);
  assert.equal(Number.parseFloat(await limit('Not sure below').innerText()), abstention.least_confidence * 100);
  assert.match(await limit('Not sure above').innerText(), /^energy −?\d+\.\d\d$/);
  await page.close();
});
