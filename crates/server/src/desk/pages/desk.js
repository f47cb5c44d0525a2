"use strict";
// Choices of a filter count at once, and `/` goes to the search. Every page is complete without it.
for (const form of document.querySelectorAll("form[data-submits]")) {
  for (const choice of form.querySelectorAll("select")) choice.addEventListener("change", () => form.requestSubmit());
  // Empty fields make long addresses.
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
}
document.addEventListener("keydown", (event) => {
  const search = document.querySelector("input[type=search]");
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing || !search) return;
  event.preventDefault();
  search.focus();
});
// What is being found out is looked for again; without this, a link does it.
if (document.querySelector("[data-waits]")) setTimeout(() => location.reload(), 2000);
