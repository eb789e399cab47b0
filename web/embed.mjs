// SPDX-License-Identifier: Apache-2.0
// Type-checks and builds the dashboard into OUT/dist, then writes OUT/web_assets.cpp, which holds every file of it.
//
//   node web/embed.mjs OUT
//
// The pages go into the binary, so that the server is one file and answers without touching the disk.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(source, 'dist-cpp'));
const dist = join(out, 'dist');

const mediaTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

function fail(message) {
  console.error(`web: ${message}`);
  process.exit(1);
}

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

function bytesAsCpp(bytes) {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 32) lines.push([...bytes.subarray(i, i + 32)].join(','));
  return lines.join(',\n');
}

function assetsAsCpp(paths) {
  const arrays = [];
  const rows = [];
  paths.forEach((path, i) => {
    const type = mediaTypes[extname(path)];
    if (!type) fail(`${path}: no media type known for its ending; add it to embed.mjs`);
    const bytes = readFileSync(join(dist, path));
    if (bytes.length === 0) fail(`${path} is empty`);
    const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    arrays.push(`constexpr unsigned char kFile${i}[] = {\n${bytesAsCpp(bytes)}};`);
    rows.push(`      {"${path}", "${type}", view(kFile${i}), "\\"${etag}\\""},`);
  });
  return `// Made by web/embed.mjs.
#include "web_assets.hpp"

namespace imago::web {
namespace {

${arrays.join('\n')}

template <std::size_t N>
std::string_view view(const unsigned char (&bytes)[N]) {
  return {reinterpret_cast<const char*>(bytes), N};
}

}  // namespace

std::span<const Asset> assets() {
  static const Asset kAssets[] = {
${rows.join('\n')}
  };
  return kAssets;
}

}  // namespace imago::web
`;
}

runTool('typescript/bin/tsc', '--noEmit');
runTool('vite/bin/vite.js', 'build', '--outDir', dist, '--emptyOutDir', '--logLevel', 'warn');
writeFileSync(join(out, 'web_assets.cpp'), assetsAsCpp(filesBelow(dist).sort()));
