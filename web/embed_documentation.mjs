// SPDX-License-Identifier: Apache-2.0
// Writes OUT/documentation_assets.cpp: the page at /docs, Swagger UI and the description of the API that it shows. Apart
// from the dashboard, as Swagger UI's 1.5 MB take long to compile and seldom change.
//
//   node web/embed_documentation.mjs OUT
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, filesAsCpp } from './as_cpp.mjs';

const source = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(source, 'dist-cpp'));
const swagger = join(source, 'node_modules', 'swagger-ui-dist');
if (!existsSync(swagger)) fail(`${swagger} is missing: run scripts/setup build`);

const withoutSourceMap = (bytes) => Buffer.from(bytes.toString().replace(/\n\/[/*]# sourceMappingURL=.*\s*$/, '\n'));
const files = [
  { path: '/docs', bytes: readFileSync(join(source, 'documentation', 'index.html')), type: 'text/html; charset=utf-8' },
  { path: '/docs/start.js', bytes: readFileSync(join(source, 'documentation', 'start.js')) },
  { path: '/docs/swagger-ui-bundle.js', bytes: withoutSourceMap(readFileSync(join(swagger, 'swagger-ui-bundle.js'))) },
  { path: '/docs/swagger-ui.css', bytes: withoutSourceMap(readFileSync(join(swagger, 'swagger-ui.css'))) },
  // Through the parser: not served unless it is JSON, and without the spaces that make it good to edit.
  {
    path: '/openapi.json',
    bytes: Buffer.from(JSON.stringify(JSON.parse(readFileSync(join(source, '..', 'docs', 'api', 'openapi.json'))))),
  },
];
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'documentation_assets.cpp'), filesAsCpp('documentation_assets', files));
