// Shows /api-docs; nothing is asked of any other server.
addEventListener("DOMContentLoaded", () => {
  SwaggerUIBundle({ url: "/api-docs", dom_id: "#api", deepLinking: true, validatorUrl: null });
});
