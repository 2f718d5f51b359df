// Starts Swagger UI, and lets the reader choose the document whose words the server answers in.
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
  requestInterceptor(request) {
    if (dialect.value && !request.loadSpec) {
      delete request.headers.accept;
      request.headers.Accept = dialect.value;
    }
    return request;
  },
});
