// SPDX-License-Identifier: Apache-2.0
// Shows /openapi.json with Swagger UI; nothing comes from elsewhere.
window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#documentation',
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  // The default sends the description's address to a validator on the web.
  validatorUrl: null,
});
