// Starts Swagger UI, lets the reader choose the document whose words the server answers in, and lets those who are
// signed in try out what changes something.
"use strict";

const dialect = document.getElementById("dialect");

window.ui = SwaggerUIBundle({
  url: "../openapi.json",
  domNode: document.getElementById("operations"),
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  defaultModelsExpandDepth: 0,
  tagsSorter: "alpha",
  tryItOutEnabled: true,
  validatorUrl: null,
  async requestInterceptor(request) {
    if (!request.loadSpec && !["GET", "HEAD"].includes((request.method ?? "GET").toUpperCase())) {
      const token = await session.token();
      if (token !== null) request.headers["X-CSRFToken"] = token;
    }
    if (dialect.value && !request.loadSpec) {
      delete request.headers.accept;
      request.headers.Accept = dialect.value;
    }
    return request;
  },
});
