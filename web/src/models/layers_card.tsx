// SPDX-License-Identifier: Apache-2.0
// The network, layer by layer.
import type { Layer } from '../api/models';
import { count, short } from '../format';
import { shapeInWords } from './choice';

export function LayersCard({ layers }: { layers: Layer[] }) {
  if (layers.length === 0) return null;
  return (
    <section class="card layers-card" aria-labelledby="layers-title">
      <h2 id="layers-title">Layers</h2>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="layers-title">
        <table class="scores layers">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Kind</th>
              <th scope="col">Output</th>
              <th scope="col">Parameters</th>
              <th scope="col">Multiply-adds</th>
            </tr>
          </thead>
          <tbody>
            {layers.map((layer) => (
              <tr key={layer.name}>
                <th scope="row">{layer.name}</th>
                <td>{layer.kind.replaceAll('_', ' ')}</td>
                <td class="nums">{shapeInWords(layer.output)}</td>
                <td class="nums">{layer.parameters ? count(layer.parameters) : '–'}</td>
                <td class="nums">{layer.macs ? short(layer.macs) : '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
