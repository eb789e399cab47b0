// SPDX-License-Identifier: Apache-2.0
// Type-checks and builds the dashboard into OUT/dist, then writes OUT/web_assets.cpp, which holds every file of it.
//
//   node web/embed.mjs OUT
//
// The pages go into the binary, so that the server is one file and answers without touching the disk.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, filesAsCpp } from './as_cpp.mjs';

const source = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(source, 'dist-cpp'));
const dist = join(out, 'dist');

function runTool(script, ...args) {
  const tool = join(source, 'node_modules', script);
  if (!existsSync(tool)) fail(`${tool} is missing: run scripts/setup build`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [tool, ...args], { cwd: source, encoding: 'utf8' });
  if (status !== 0) fail(`${script} failed\n${stdout}${stderr}`);
}

function filesBelow(folder, prefix = '') {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name), `${prefix}/${entry.name}`) : [`${prefix}/${entry.name}`],
  );
}

runTool('typescript/bin/tsc', '--noEmit');
runTool('vite/bin/vite.js', 'build', '--outDir', dist, '--emptyOutDir', '--logLevel', 'warn');
const files = filesBelow(dist)
  .sort()
  .map((path) => ({ path, bytes: readFileSync(join(dist, path)) }));
writeFileSync(join(out, 'web_assets.cpp'), filesAsCpp('assets', files));
