// SPDX-License-Identifier: Apache-2.0
// Where the dashboard starts.
import { render } from 'preact';

render(<h1>Imago</h1>, document.getElementById('app')!);
